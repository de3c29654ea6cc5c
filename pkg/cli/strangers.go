package cli

import (
	"net"
	"strings"

	"github.com/urfave/cli/v3"
)

// allowStrangersFlag is --allow-strangers.
func allowStrangersFlag() cli.Flag {
	return yes(whereToGo, "allow-strangers", "admit programs that know only bare messages (default: on one machine)")
}

// allowStrangers returns --allow-strangers. Its default is true where no other machine can reach the endpoints that
// the program binds.
func allowStrangers(c *cli.Command, bound ...string) bool {
	if c.IsSet("allow-strangers") {
		return c.Bool("allow-strangers")
	}
	for _, e := range bound {
		if !onThisMachine(e) {
			return false
		}
	}
	return true
}

// onThisMachine reports whether only programs on this machine reach an endpoint.
func onThisMachine(endpoint string) bool {
	scheme, address, _ := strings.Cut(endpoint, "://")
	if scheme == "ipc" || scheme == "inproc" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// strangersAdmitted is the line of a summary after --allow-strangers.
const strangersAdmitted = "strangers were admitted (--allow-strangers): what they report is not proven"

// strangersAsked reports whether --allow-strangers was given, and not as false.
func strangersAsked(c *cli.Command) bool {
	return c.IsSet("allow-strangers") && c.Bool("allow-strangers")
}
