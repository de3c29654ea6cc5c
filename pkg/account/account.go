// Package account names the account to which the limits of a client are charged: its IPv4 address, or the IPv6 network
// that one machine may hold. So a client gains nothing by opening more connections.
package account

import (
	"net"
	"net/netip"
)

// Of returns the account of an address: the IPv4 address, or the /64 network of an IPv6 address, all of which one
// machine may hold.
func Of(ip netip.Addr) string {
	if ip = ip.Unmap().WithZone(""); ip.Is6() && !ip.IsLoopback() {
		network, _ := ip.Prefix(64)
		return network.String()
	}
	return ip.String()
}

// OfRemote returns the account of a remote address in the form host:port. Any other text is its own account.
func OfRemote(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return Of(ip)
}
