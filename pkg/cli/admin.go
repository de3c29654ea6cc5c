package cli

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// startAdmin binds the HTTP server that the flags ask for; nil when they ask for none. A default address that is taken,
// by another role of the same kind on this machine, is done without; one that was asked for is an error.
func startAdmin(c *cli.Command, log *slog.Logger, reg *prometheus.Registry, ready func() error, handler http.Handler) (*telemetry.Admin, error) {
	if c.String("http") == "" && c.String("debug-addr") == "" {
		return nil, nil
	}
	admin, err := telemetry.NewAdmin(telemetry.AdminConfig{
		Addr: c.String("http"), DebugAddr: c.String("debug-addr"), Hosts: c.StringSlice("http-host"), Gatherer: reg, Ready: ready, Handler: handler, Logger: log,
	})
	if err != nil {
		return nil, usagef("--http: %v", err)
	}
	addr, err := admin.Listen()
	switch {
	case err == nil:
		log.Info("serving", "http", "http://"+addr)
		if handler != nil && !c.Bool("quiet") {
			fmt.Fprintf(os.Stderr, "watch it at http://%s\n", addr)
		}
		return admin, nil
	case c.IsSet("http") || c.IsSet("debug-addr"):
		return nil, &exitError{ExitFault, err}
	}
	log.Warn("no metrics are served: the usual address is taken; choose another with --http", "error", err)
	return nil, nil
}
