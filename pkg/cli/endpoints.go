package cli

import (
	"net"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// The ports of a farm.
const (
	controlPort = "5555"
	eventsPort  = "5556"
	tasksPort   = "5557"
	resultsPort = "5558"
)

// loopback is the default address of every program: other machines cannot reach it.
const loopback = "127.0.0.1"

// endpoint returns the endpoint that was typed: HOST, HOST:PORT, or these after tcp:// or tls://, with the usual
// scheme and port where there is none, or an endpoint of another transport as it is.
func endpoint(scheme, typed, port string) string {
	address := typed
	if before, after, ok := strings.Cut(typed, "://"); ok {
		if scheme, address = before, after; scheme != "tcp" && scheme != "tls" {
			return typed
		}
	}
	if host, p, err := net.SplitHostPort(address); err == nil {
		return scheme + "://" + net.JoinHostPort(host, p)
	}
	return scheme + "://" + net.JoinHostPort(strings.Trim(address, "[]"), port)
}

// checkSinkBind refuses a --bind that names one endpoint, since a sink has three.
func checkSinkBind(typed string) error {
	address := strings.TrimPrefix(strings.TrimPrefix(typed, "tcp://"), "tls://")
	_, port, err := net.SplitHostPort(address)
	if address == typed && strings.Contains(typed, "://") || err == nil && port != "0" && port != "*" {
		return usagef(
			"--bind %q: a sink has three endpoints; give a host here, and ports with --results, --events and --control",
			typed,
		)
	}
	return nil
}

// checkEndpoints refuses texts that cannot be endpoints between processes. Those of tls:// need --tls.
func checkEndpoints(c *cli.Command, endpoints ...string) error {
	for _, e := range endpoints {
		scheme, address, _ := strings.Cut(e, "://")
		switch scheme {
		case "ipc":
			if address == "" {
				return usagef("endpoint %q: ipc:// needs a path", e)
			}
		case "tcp", "tls":
			if scheme == "tls" && c.String("tls") == "" {
				return usagef("endpoint %q: tls:// needs --tls FILE", e)
			}
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return usagef("endpoint %q: %s:// needs HOST:PORT", e, scheme)
			}
			if _, err := strconv.ParseUint(port, 10, 16); err != nil && port != "*" {
				return usagef("endpoint %q: a port must be a number up to 65535", e)
			}
		default:
			return usagef("endpoint %q: it must begin with tcp://, tls:// or ipc://", e)
		}
	}
	return nil
}

// either returns the endpoint of endpointFlag or, if that is empty, the usual port on the host of hostFlag.
func either(c *cli.Command, endpointFlag, hostFlag, port string) string {
	if e := c.String(endpointFlag); e != "" {
		return endpoint(usualScheme(c), e, port)
	}
	return endpoint(usualScheme(c), c.String(hostFlag), port)
}
