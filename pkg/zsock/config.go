package zsock

import (
	"fmt"
	"time"
)

// Config configures a socket of any kind. The zero value is usable: each zero field means its default.
type Config struct {
	// Network is what this socket has in common with the process's other sockets.
	Network Network

	// Identity is the ZMTP identity that peers receive: at most 255 bytes, not starting with a zero byte. Default: none.
	Identity string

	// PeerRoles are the roles of which a certificate must name one for a peer of a tls:// endpoint to be admitted,
	// whichever side dialled. Default: every role.
	PeerRoles []string

	// MaxMessage is the largest message to receive, in bytes of all frames together. Default 1 MiB.
	MaxMessage int64
	// MaxParts is the largest number of frames in a received message, envelopes included. Default 16.
	MaxParts int

	// SendHWM and SendBytes are the high-water marks of each peer's send queue, in messages and in bytes. An empty
	// queue takes one message larger than SendBytes. Defaults 1000 and 64 MiB.
	SendHWM   int
	SendBytes int64
	// RecvHWM and RecvBytes are the high-water marks of what the socket has received from all peers and the
	// application has not taken, in messages and in bytes. Defaults 1000 and 64 MiB.
	RecvHWM   int
	RecvBytes int64

	// ReceivingBytes bounds the messages over 32 KiB that are arriving from all peers together, in bytes. One address or
	// certificate may use half of it, or send one message. Default: RecvBytes, or 2 × MaxMessage if that is more.
	ReceivingBytes int64
	// OwedBytes bounds the send queues of all subscribers of a Pub together, in bytes. When it is reached, subscribers
	// with more than an equal share miss messages. Default: SendBytes.
	OwedBytes int64
	// StallTimeout is how long a subscriber of a Pub or a peer of a Rep may read nothing while something waits for it,
	// before it is dropped. Negative: for ever. Default 30 s.
	StallTimeout time.Duration

	// Memory allocates the frames of received messages. Default: the heap.
	Memory Memory

	// HandshakeTimeout bounds a connection attempt, and then the handshake. Default 5 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many accepted connections may be in their handshake at once. One more closes the oldest of
	// them, preferably one that has sent nothing. Default 128, or a quarter of Network.MaxConns if that is less.
	MaxHandshakes int
	// MaxPeers is how many peers the socket may have. One more evicts the peer that has been idle longest, or is
	// refused while none is idle. Default 1024, or what Network.MaxConns leaves if that is less.
	MaxPeers int
	// MaxPeersPerAddress is how many of them may come from one address, or have one certificate's name. Default: three
	// quarters of MaxPeers. It does not apply to ipc and inproc.
	MaxPeersPerAddress int
	// MessageRate is how many messages and commands a second all peers of one address, or with one certificate's name, may
	// send, after a burst of one second's. Further ones wait with their senders. Default 0: as many as they like. It does
	// not apply to ipc and inproc.
	MessageRate int
	// MaxSubscriptions is how many prefixes a Sub, and each subscriber of a Pub, may hold, in at most 64 KiB. Default
	// 1024.
	MaxSubscriptions int

	// ReconnectMin and ReconnectMax bound the pause before the next connection attempt. It starts at ReconnectMin,
	// doubles up to ReconnectMax, and is shortened by up to half at random. Defaults 10 ms, so that programs started
	// together connect at once, and 5 s.
	ReconnectMin time.Duration
	ReconnectMax time.Duration
	// ResolveEvery is how often the host name of a dialled endpoint is looked up again. Default 5 s.
	ResolveEvery time.Duration

	// KernelBuffer is the size in bytes of each connection's kernel buffers (SO_SNDBUF, SO_RCVBUF), and of the buffers
	// of inproc pipes. Default: the system's size; 64 KiB for inproc.
	KernelBuffer int

	// PrefixBatchDelay is how long a Pub may hold back messages for prefix subscribers, to send them in batches: each
	// message on its own costs both ends a wake-up. Subscribers of the whole first frame get each message at once.
	// Default 0: prefix subscribers do, too.
	PrefixBatchDelay time.Duration
	// Missed makes the message that tells a slow subscriber of a Pub that it missed n messages. The Pub sends it in
	// their place as soon as there is room, whatever the subscriber subscribed to. Missed must be quick. Default:
	// misses are only counted.
	Missed func(n uint64) Message
	// OnPeer is called when a peer comes, goes or is refused, in order for each peer, from the socket's goroutines. It
	// must not block. It may call the socket's methods except Close, which waits for it. Default: none.
	OnPeer func(PeerEvent)
}

// Validate returns an error that says what is wrong with c, if anything. Zero values are valid: they mean the default.
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
		{"MaxPeersPerAddress", int64(c.MaxPeersPerAddress)}, {"ReceivingBytes", c.ReceivingBytes}, {"OwedBytes", c.OwedBytes},
		{"MaxSubscriptions", int64(c.MaxSubscriptions)}, {"MessageRate", int64(c.MessageRate)},
		{"KernelBuffer", int64(c.KernelBuffer)},
	} {
		if f.value < 0 {
			return fmt.Errorf("zsock: %s is %d; it must not be negative", f.name, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"HandshakeTimeout", c.HandshakeTimeout}, {"PrefixBatchDelay", c.PrefixBatchDelay},
		{"ReconnectMin", c.ReconnectMin}, {"ReconnectMax", c.ReconnectMax}, {"ResolveEvery", c.ResolveEvery},
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
	handshakes, peers := 128, 1024
	if most := c.Network.MaxConns; most > 0 {
		handshakes = min(handshakes, most/4)
		peers = min(peers, most-handshakes)
	}
	orDefault(&c.MaxHandshakes, handshakes)
	orDefault(&c.MaxPeers, peers)
	orDefault(&c.MaxPeersPerAddress, c.MaxPeers-c.MaxPeers/4)
	orDefault(&c.ReceivingBytes, max(c.RecvBytes, 2*c.MaxMessage))
	orDefault(&c.OwedBytes, c.SendBytes)
	orDefault(&c.StallTimeout, 30*time.Second)
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
