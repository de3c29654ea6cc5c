package zsock

import (
	"net"
	"net/netip"

	"github.com/imagefarm/imagefarm/pkg/account"
)

// accountOf returns the account that a peer's share of the limits is charged to: its principal if its certificate names
// one, and otherwise the address that it connects from. An IPv6 peer is charged to its /64 network, all of which one
// machine may hold. Peers within this process and over ipc:// have no account, and so no share.
func accountOf(conn net.Conn, principal Principal) string {
	if principal.Role != "" {
		return principal.String()
	}
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return ""
	}
	return account.Of(ip)
}
