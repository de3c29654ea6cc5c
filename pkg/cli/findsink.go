package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// ledgerPathOf returns the file of the ledger that --ledger or --out names; "" if --out is a bucket, which holds none.
func ledgerPathOf(c *cli.Command) string {
	if inBucket(c.String("out")) {
		return c.String("ledger")
	}
	return cmp.Or(c.String("ledger"), filepath.Join(placeOf(c.String("out")), ".imagefarm", "ledger.db"))
}

// maxSocketPath is the length in bytes of the longest path that every system takes for a socket.
const maxSocketPath = 100

// localSockets returns the endpoints, beside its ledger, at which a sink answers commands on this machine; empty where
// the path is too long for a socket.
func localSockets(ledger string) (control, events string) {
	return socketAt(ledger + ".sock"), socketAt(ledger + ".events.sock")
}

func socketAt(path string) string {
	if dir, err := os.Getwd(); err == nil && filepath.IsAbs(path) {
		if relative, err := filepath.Rel(dir, path); err == nil && len(path) > maxSocketPath {
			path = relative
		}
	}
	if len(path) > maxSocketPath {
		return ""
	}
	return "ipc://" + path
}

// sinkFound says how findSink found a sink.
type sinkFound int

const (
	sinkNamed    sinkFound = iota // by --sink or --control
	sinkOfLedger                  // by the socket beside the ledger that --out or --ledger names
	sinkNearby                    // at the usual port or by the live page: whose ledger it has is not known
	sinkNowhere
)

// sinkAt is where a sink answers.
type sinkAt struct {
	control, events string
	found           sinkFound
}

// findSink returns the sink that the flags name or, without --sink, the one that has the ledger open, the one at the
// usual port, or the one of the live page at the usual port, whichever is there.
func findSink(ctx context.Context, c *cli.Command) sinkAt {
	at := sinkAt{control: either(c, "control", "sink", controlPort), events: endpoint(usualScheme(c), c.String("sink"),
		eventsPort)}
	if c.IsSet("sink") || c.IsSet("control") {
		return at
	}
	control, events := localSockets(ledgerPathOf(c))
	switch {
	case accepts(ctx, control):
		return sinkAt{control, events, sinkOfLedger}
	case accepts(ctx, at.control):
		at.found = sinkNearby
		return at
	case c.IsSet("out") || c.IsSet("ledger"):
		at.found = sinkNowhere
		return at
	}
	control, events = localSockets(ledgerOfPage(ctx))
	if accepts(ctx, control) {
		return sinkAt{control, events, sinkNearby}
	}
	at.found = sinkNowhere
	return at
}

// probeTime bounds each look for a sink that was not named. A socket of this machine accepts or refuses at once; how
// long that takes says only how busy the machine is.
const (
	probeTime      = 300 * time.Millisecond
	probeLocalTime = 10 * time.Second
)

// accepts reports whether a process on this machine accepts connections at endpoint.
func accepts(ctx context.Context, endpoint string) bool {
	scheme, address, _ := strings.Cut(endpoint, "://")
	network := map[string]string{"ipc": "unix", "tcp": "tcp", "tls": "tcp"}[scheme]
	if network == "" {
		return false
	}
	limit := probeTime
	if network == "unix" {
		limit = probeLocalTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// usualPage is the address of the live page unless --http names another.
const usualPage = loopback + ":8080"

// ledgerOfPage returns the ledger of the sink on this machine whose live page is at the usual address; "" when there is
// none.
func ledgerOfPage(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+usualPage+"/api/v1/run", nil)
	if err != nil {
		return ""
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // without a proxy
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var page struct {
		Sink struct{ Host, Ledger string }
	}
	decodeErr := json.NewDecoder(http.MaxBytesReader(nil, response.Body, 1<<20)).Decode(&page)
	if host, err := os.Hostname(); err != nil || decodeErr != nil || page.Sink.Host != host {
		return ""
	}
	return page.Sink.Ledger
}
