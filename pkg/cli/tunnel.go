package cli

import (
	"context"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/tunnel"
)

func tunnelCommand() *cli.Command {
	return &cli.Command{
		Name:  "tunnel",
		Usage: "carry programs that have no TLS, as on libzmq, to a farm that has",
		Description: `   farm tls issue tunnel studio
   farm token issue --file tokens worker py     for --tokens of sink, ventilator
   farm tunnel --tls tunnel-studio.pem --sink HOST --ventilator HOST

Programs connect to the usual ports of this machine instead of the farm's, and
identify by PLAIN: the holder's name is the user, the token is the password.`,
		Flags: concat([]cli.Flag{
			text(whereToGo, "bind", loopback, "loopback `HOST`, or ipc://DIR with the sockets control, events, tasks, results"),
			text(whereToGo, "sink", "", "`HOST` of the sink"),
			text(whereToGo, "ventilator", "", "`HOST` of the ventilator"),
			number(limits, "max-connections", 256, from(1).to(10_000), "most connections at once, or fewer by ulimit -n"),
		}, tlsFlags(), commonFlags("info", "")),
		Action: runTunnel,
	}
}

func runTunnel(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "info")
	if err != nil {
		return err
	}
	if c.String("tls") == "" {
		return usagef("a tunnel needs a certificate: --tls FILE, made by farm tls issue tunnel NAME")
	}
	network, err := networkOf(c, log, pki.Tunnel)
	if err != nil {
		return err
	}
	cfg := tunnel.Config{
		Security: network.credentials, PeerRoles: []string{pki.Sink, pki.Ventilator},
		MaxConns: tunnelConns(openFileLimit(), c.Int("max-connections")), Logger: telemetry.Limited(log),
	}
	for _, way := range []struct{ flag, socket, port string }{
		{"sink", "control", controlPort}, {"sink", "events", eventsPort}, {"sink", "results", resultsPort},
		{"ventilator", "tasks", tasksPort},
	} {
		if c.String(way.flag) == "" {
			continue
		}
		from := endpoint("tcp", c.String("bind"), way.port)
		if strings.HasPrefix(c.String("bind"), "ipc://") {
			from = c.String("bind") + "/" + way.socket
		}
		cfg.Ways = append(cfg.Ways, tunnel.Way{From: from, To: endpoint("tls", c.String(way.flag), way.port)})
	}
	if len(cfg.Ways) == 0 {
		return usagef("name the farm's end: --sink HOST, --ventilator HOST, or both")
	}
	if err := cfg.Validate(); err != nil {
		return usagef("%v", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, _, stop := signals(ctx, log, 0, cancel) // the first signal ends it: nothing needs to be drained
	defer stop()
	return tunnel.Run(ctx, cfg)
}
