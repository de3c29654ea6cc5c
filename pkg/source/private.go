package source

import (
	"context"
	"net/netip"
	"syscall"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// privateNets are the networks that are not public beyond those that package netip knows.
func privateNets() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), // translated to IPv4
		netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), // tunnels to IPv4
		netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("2001:db8::/32"),
	}
}

// isPublic reports whether an address is that of a public server. Addresses of this machine, of private networks and of
// the metadata services of clouds are not.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, net := range privateNets() {
		if net.Contains(a) {
			return false
		}
	}
	return true
}

// refusePrivate refuses a connection to an address that is not public. The dialer calls it after the name was
// resolved, so that no name can lead to such an address.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !isPublic(at.Addr()) {
		return outcome.Reject(outcome.Forbidden, "%s is not a public address; --allow-private connects to it", at.Addr())
	}
	return nil
}
