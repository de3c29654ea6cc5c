package sink

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// closeTimeout bounds how long subscribers may take for the last events.
const closeTimeout = 2 * time.Second

// sockets are the endpoints that a sink binds.
type sockets struct {
	pull  *zsock.Pull // results
	pub   *zsock.Pub  // events
	rep   *zsock.Rep  // control
	local *zsock.Rep  // control, for the user of this process
}

// Messages a second of one address or certificate: many times what a farm's own programs send.
const (
	resultsRate = 20_000 // results and heartbeats
	eventsRate  = 1000   // subscriptions
	controlRate = 1000   // requests
)

// openSockets makes the sockets. The caller closes them, also after an error.
func openSockets(cfg *Config, onWorker func(zsock.PeerEvent)) (s sockets, err error) {
	s.pull, err = zsock.NewPull(zsock.Config{
		MaxMessage: cfg.MaxMessage + wire.MaxText +
			wire.MaxOutputs*wire.MaxName, RecvHWM: receiveAhead, RecvBytes: cfg.MaxMessage,
		Network: cfg.Network, OnPeer: onWorker, PeerRoles: []string{pki.Worker}, MessageRate: resultsRate,
	})
	if err != nil {
		return s, err
	}
	s.pub, err = zsock.NewPub(zsock.Config{
		SendHWM: 10_000, SendBytes: 32 << 20, Network: cfg.Network,
		PeerRoles:        []string{pki.Ventilator, pki.Operator, pki.Viewer},
		PrefixBatchDelay: monitorBatchDelay, MessageRate: eventsRate,
		Missed: func(n uint64) zsock.Message { return wire.EncodeEvent(wire.TopicMissed, &wire.Missed{Count: n}) },
	})
	if err != nil {
		return s, err
	}
	control := zsock.Config{MaxMessage: wire.MaxRequest, Network: cfg.Network, MessageRate: controlRate}
	if s.rep, err = zsock.NewRep(control); err != nil {
		return s, err
	}
	s.local, err = zsock.NewRep(control)
	return s, err
}

// listen binds the endpoints and returns their bound forms. Control comes first, since peers that connect to the other
// endpoints may ask at once.
func (s *sockets) listen(cfg *Config) (results, events, control string, err error) {
	if control, err = s.rep.Listen(cfg.Control); err != nil {
		return "", "", "", err
	}
	if events, err = s.pub.Listen(cfg.Events); err != nil {
		return "", "", "", err
	}
	results, err = s.pull.Listen(cfg.Results)
	return results, events, control, err
}

// listenLocally binds the further endpoints for operators' commands on this machine. The sink works without them.
func (s *sockets) listenLocally(cfg *Config) {
	for _, local := range []struct {
		endpoint string
		listen   func(string) (string, error)
	}{{cfg.LocalControl, s.local.Listen}, {cfg.LocalEvents, s.pub.Listen}} {
		if local.endpoint == "" {
			continue
		}
		_, err := local.listen(local.endpoint)
		if path, isFile := strings.CutPrefix(local.endpoint, "ipc://"); err == nil && isFile && runtime.GOOS != "windows" {
			err = os.Chmod(path, 0o600) // whatever the umask: who may connect may have the ledger copied to any file
		}
		if err != nil {
			cfg.Logger.Info("operators' commands on this machine need --sink: cannot listen",
				"endpoint", local.endpoint, "error", err)
		}
	}
}

func (s *sockets) close(ctx context.Context) error {
	var errs []error
	if s.pull != nil {
		errs = append(errs, s.pull.Close(ctx))
	}
	if s.rep != nil {
		errs = append(errs, s.rep.Close(ctx))
	}
	if s.local != nil {
		errs = append(errs, s.local.Close(ctx))
	}
	if s.pub != nil {
		errs = append(errs, s.pub.Close(ctx))
	}
	return errors.Join(errs...)
}
