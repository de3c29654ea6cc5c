package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name: "events", ArgsUsage: "[TOPIC…]",
		Usage: "print events as they happen, all or those of topics with a prefix",
		Description: `   farm events task.rejected worker
   farm events --json task | jq .payload.filename`,
		Flags: concat([]cli.Flag{
			yes(showing, "json", "print JSON lines"),
			number(showing, "count", 0, from(0), "end after so many events; 0: never"),
			text(whereToGo, "events", "", "events `ENDPOINT` of the sink (default: port 5556 of --sink)"),
		}, sinkFlags()),
		Action: printEvents,
	}
}

func printEvents(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	network, err := networkOf(c, log, pki.Operator, pki.Viewer)
	if err != nil {
		return err
	}
	sub, err := zsock.NewSub(zsock.Config{
		Network: network.Network, RecvHWM: 10_000, MaxMessage: wire.MaxEvent, PeerRoles: []string{pki.Sink},
	})
	if err != nil {
		return err
	}
	topics := c.Args().Slice()
	if len(topics) == 0 {
		topics = []string{""}
	} else {
		topics = append(topics, wire.TopicMissed)
	}
	for _, t := range topics {
		if err := sub.Subscribe(t); err != nil {
			return usagef("topic %q: %v", t, err)
		}
	}
	at := findSink(ctx, c)
	if e := c.String("events"); e != "" {
		at.events = endpoint(usualScheme(c), e, eventsPort)
	}
	if err := sub.Dial(at.events); err != nil {
		return usagef("--sink: %v", err)
	}
	if at.found == sinkNowhere {
		notice(c, "no sink answers yet; waiting for one at %s", at.events)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, _, stop := signals(ctx, slog.New(slog.DiscardHandler), 0, cancel) // the first signal ends it
	defer stop()
	for n := 0; c.Int("count") == 0 || n < c.Int("count"); n++ {
		frames, err := sub.Recv(ctx)
		if err != nil {
			break
		}
		if err := printEvent(stdout(), frames, c.Bool("json")); err != nil {
			return err
		}
	}
	closing, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return sub.Close(closing)
}

func printEvent(w io.Writer, frames zsock.Message, asJSON bool) error {
	topic, payload, err := wire.DecodeEvent(frames)
	if err != nil {
		return err
	}
	var fields map[string]any
	if err := wire.DecodePayload(payload, &fields); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"topic": topic, "payload": fields})
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s  %-16s %s\n", time.Now().Format(time.TimeOnly), printable.Line(topic), text)
	return err
}
