package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// startAdmin binds the HTTP server of --http and --debug-addr. It returns nil when both are empty. A taken default
// address is a warning; a taken address that the user named is an error.
func startAdmin(
	c *cli.Command,
	n network,
	log *slog.Logger,
	reg *prometheus.Registry,
	ready func() error,
	handler http.Handler,
) (*telemetry.Admin, error) {
	if c.String("http") == "" && c.String("debug-addr") == "" {
		return nil, nil
	}
	for flag, address := range map[string]string{"http": c.String("http"), "debug-addr": c.String("debug-addr")} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return nil, usagef("--%s %s: give HOST:PORT, or nothing between quotes for none", flag, address)
		}
		if !onThisMachine("tcp://"+address) && n.credentials == nil && !c.Bool("insecure") {
			return nil, usagef("--%s %s: other machines could reach it without TLS; give --tls FILE (see farm tls), "+
				"or --insecure on a network that only the farm is on", flag, address)
		}
	}
	page, metrics := gateOf(c, n, log)
	if page != nil && handler != nil {
		handler = page(handler)
	}
	admin, err := telemetry.NewAdmin(telemetry.AdminConfig{
		TLS: n.https(), MetricsGate: metrics,
		Addr: c.String("http"), DebugAddr: c.String("debug-addr"), Hosts: c.StringSlice("http-host"),
		MaxConns: httpConns(openFileLimit()), Gatherer: reg, Ready: ready, Handler: handler, Logger: log,
	})
	if err != nil {
		return nil, usagef("--http: %v", err)
	}
	addr, err := admin.Listen()
	switch {
	case err == nil:
		log.Info("serving", "http", admin.Scheme()+"://"+dialable(addr))
		if handler != nil {
			notice(c, "live page: %s://%s", admin.Scheme(), dialable(addr))
		}
		return admin, nil
	case c.IsSet("http") || c.IsSet("debug-addr"):
		return nil, &exitError{ExitFault, err}
	}
	what := "metrics"
	if handler != nil {
		what = "live page"
	}
	log.Warn("no " + what + ": " + notBound(c.String("http"), err))
	return nil, nil
}

// dialable returns the address to dial for a bound one: for all of a machine's addresses, this machine's loopback
// address. That also opens on the host of a container that publishes the port under its own number.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// notBound says why an address is not served, and suggests the address ten ports further on.
func notBound(addr string, err error) string {
	host, port, splitErr := net.SplitHostPort(addr)
	number, numberErr := strconv.Atoi(port)
	if !errors.Is(err, syscall.EADDRINUSE) || splitErr != nil || numberErr != nil {
		return fmt.Sprintf("%v; choose another address with --http", err)
	}
	return fmt.Sprintf("%s is taken; try --http %s", addr, net.JoinHostPort(host, strconv.Itoa(number+10)))
}
