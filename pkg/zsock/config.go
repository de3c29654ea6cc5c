package zsock

import (
	"fmt"
	"time"
)

// Config is what every kind of socket is made from. The zero value is usable: each zero field means its default.
type Config struct {
	// Network is what this socket has in common with the process's other sockets.
	Network Network

	// Identity is the ZMTP identity that peers are told, at most 255 bytes, not starting with a zero byte. Default none.
	Identity string

	// MaxMessage is the most bytes a received message may have, all frames together. Default 1 MiB.
	MaxMessage int64
	// MaxParts is the most frames a received message may have, envelopes included. Default 16.
	MaxParts int

	// SendHWM and SendBytes are the high-water marks of each peer's send queue, in messages and in bytes.
	// A single message larger than SendBytes is taken when the queue is empty. Defaults 1000 and 64 MiB.
	SendHWM   int
	SendBytes int64
	// RecvHWM and RecvBytes are the high-water marks of what the whole socket has read ahead of the application.
	// Defaults 1000 and 64 MiB.
	RecvHWM   int
	RecvBytes int64

	// Memory is where the frames of received messages lie. Default: each is allocated.
	Memory Memory

	// HandshakeTimeout bounds connecting, and then the handshake. Default 5 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many accepted connections may be shaking hands at once; one more ends the oldest of them, if
	// possible one that has said nothing. Default 128.
	MaxHandshakes int
	// MaxPeers is how many peers the socket may have. Default 1024.
	MaxPeers int
	// MaxSubscriptions is how many prefixes a Sub may hold, and each subscriber of a Pub, in at most 64 KiB. Default 1024.
	MaxSubscriptions int

	// ReconnectMin and ReconnectMax bound the pause before connecting again: it starts at ReconnectMin, doubles up to
	// ReconnectMax, and is shortened by up to half at random. Defaults 10 ms and 5 s: who is
	// started together with its peer should not wait for it.
	ReconnectMin time.Duration
	ReconnectMax time.Duration
	// ResolveEvery is how often the host name of a dialled endpoint is looked up again. Default 5 s.
	ResolveEvery time.Duration

	// KernelBuffer is the size in bytes of each connection's kernel buffers (SO_SNDBUF, SO_RCVBUF), and of inproc pipes.
	// 0: the system's (inproc: 64 KiB).
	KernelBuffer int

	// Gather is how long a Pub may keep messages for those who subscribed to no more than a prefix of their first frame, so
	// that many go together: such subscribers look on, and each message on its own costs both ends a wake-up. Who subscribed
	// to the whole first frame waits for it, and is sent it at once. Default 0: everything is sent at once.
	Gather time.Duration
	// Missed makes the message that tells a Pub's slow subscriber that it missed n messages. It is sent in their place
	// as soon as there is room again, whatever the subscriber subscribed to. It must be quick. Nil: only counted.
	Missed func(n uint64) Message
	// OnPeer is told of peers that come and go, in order for each peer, from zsock's goroutines. It must not block. No
	// lock is held, so it may call the socket's methods, except Close, which waits for it. Default: nobody is told.
	OnPeer func(PeerEvent)
}

// Validate says in a sentence what is wrong with c, if anything. Zero values are right: they mean the default.
func (c Config) Validate() error {
	if len(c.Identity) > 255 {
		return fmt.Errorf("zsock: Identity has %d bytes; at most 255 are allowed", len(c.Identity))
	}
	if c.Identity != "" && c.Identity[0] == 0 {
		return fmt.Errorf("zsock: Identity %q starts with a zero byte, which ZMTP reserves", c.Identity)
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"MaxMessage", c.MaxMessage}, {"MaxParts", int64(c.MaxParts)},
		{"SendHWM", int64(c.SendHWM)}, {"SendBytes", c.SendBytes},
		{"RecvHWM", int64(c.RecvHWM)}, {"RecvBytes", c.RecvBytes},
		{"MaxHandshakes", int64(c.MaxHandshakes)}, {"MaxPeers", int64(c.MaxPeers)},
		{"MaxSubscriptions", int64(c.MaxSubscriptions)}, {"KernelBuffer", int64(c.KernelBuffer)},
	} {
		if f.value < 0 {
			return fmt.Errorf("zsock: %s is %d; it must not be negative", f.name, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"HandshakeTimeout", c.HandshakeTimeout}, {"Gather", c.Gather}, {"ReconnectMin", c.ReconnectMin}, {"ReconnectMax", c.ReconnectMax}, {"ResolveEvery", c.ResolveEvery},
	} {
		if f.value < 0 {
			return fmt.Errorf("zsock: %s is %v; it must not be negative", f.name, f.value)
		}
	}
	d := c.withDefaults()
	if d.ReconnectMax < d.ReconnectMin {
		return fmt.Errorf("zsock: ReconnectMax %v is less than ReconnectMin %v", d.ReconnectMax, d.ReconnectMin)
	}
	return c.Network.validate()
}

func (c Config) withDefaults() Config {
	c.Network = c.Network.withDefaults()
	orDefault(&c.MaxMessage, 1<<20)
	orDefault(&c.MaxParts, 16)
	orDefault(&c.SendHWM, 1000)
	orDefault(&c.SendBytes, 64<<20)
	orDefault(&c.RecvHWM, 1000)
	orDefault(&c.RecvBytes, 64<<20)
	orDefault(&c.HandshakeTimeout, 5*time.Second)
	orDefault(&c.MaxHandshakes, 128)
	orDefault(&c.MaxPeers, 1024)
	orDefault(&c.MaxSubscriptions, 1024)
	orDefault(&c.ReconnectMin, 10*time.Millisecond)
	orDefault(&c.ReconnectMax, max(5*time.Second, c.ReconnectMin))
	orDefault(&c.ResolveEvery, 5*time.Second)
	if c.Memory == nil {
		c.Memory = OrdinaryMemory{}
	}
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
