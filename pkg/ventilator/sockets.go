package ventilator

import (
	"context"
	"errors"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// open binds the endpoint of tasks and connects to the sink. After an error, close must still be called.
func (v *Ventilator) open() error {
	var err error
	v.push, err = zsock.NewPush(zsock.Config{
		Network: v.cfg.Network, OnPeer: v.peerEvents.put, PeerRoles: []string{pki.Worker},
		SendHWM: 2 * wire.MaxHeld, SendBytes: 1 << 40, // the dispatcher bounds both
	})
	if err != nil {
		return err
	}
	bound, err := v.push.Listen(v.cfg.Bind)
	if err != nil {
		return err
	}
	v.log.Info("handing out tasks", "run", v.cfg.Run, "endpoint", bound)
	if v.cfg.Listen != nil {
		v.cfg.Listen(bound)
	}
	if v.withoutSink() {
		return nil
	}
	if v.walkClient, err = sinkclient.Dial(v.cfg.Network, v.cfg.Control); err != nil {
		return err
	}
	if v.loopClient, err = sinkclient.Dial(v.cfg.Network, v.cfg.Control); err != nil {
		return err
	}
	v.walkClient.UseRunKey(v.key)
	v.loopClient.UseRunKey(v.key)
	v.sub, err = zsock.NewSub(zsock.Config{
		Network: v.cfg.Network, OnPeer: v.noteEventsConnection, RecvHWM: 10_000, MaxMessage: wire.MaxEvent,
		PeerRoles: []string{pki.Sink},
	})
	if err != nil {
		return err
	}
	for _, topic := range topics() {
		if err := v.sub.Subscribe(topic); err != nil {
			return err
		}
	}
	return v.sub.Dial(v.cfg.Events)
}

// close closes all sockets. Messages that are not sent yet have until the end of ctx.
func (v *Ventilator) close(ctx context.Context) error {
	var errs []error
	if v.push != nil {
		errs = append(errs, v.push.Close(ctx))
	}
	if v.sub != nil {
		errs = append(errs, v.sub.Close(ctx))
	}
	for _, c := range []*sinkclient.Client{v.walkClient, v.loopClient} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// certifiedIdentity returns the identity that a worker announced, with the name of its certificate or token if it has
// one, and what proves who its results come from; "" is for a stranger.
func certifiedIdentity(p *zsock.PeerInfo) (identity, proof string) {
	w, ok := wire.ParseWorkerIdentity(p.Identity)
	if !ok {
		return pki.Certified(p.Identity, p.Principal), wire.PrincipalProof(p.Principal.String())
	}
	name := pki.Certified(w.Name, p.Principal)
	if name == w.Name {
		return p.Identity, w.Proof()
	}
	w.Name = name
	return w.String(), w.Proof()
}
