// Package zsock is how messages travel in the farm: PUSH, PULL, PUB, SUB, REQ and REP sockets that speak ZMTP 3 (and
// so to every ZeroMQ library), on the codec of go-zeromq/zmq4. Nothing else in the project imports zmq4.
//
// # Rules
//
//   - New starts nothing. Listen and Dial start goroutines, all of which have ended when Close returns.
//   - Listen and Dial may be called any number of times, mixed. Dial returns at once and connects for ever, with
//     jittered backoff; a host name with several addresses is a peer at each of them (IPv6 only where it has no IPv4
//     address), looked up again every Config.ResolveEvery.
//   - Every call that can block takes a context and obeys it. Whatever happens to one peer delays no other.
//   - A message belongs to zsock from the moment it is sent: do not change its bytes afterwards. What is received
//     belongs to the caller.
//   - A nil error from Send means: queued for a peer, and it will go to another one if that peer is lost before the
//     last byte was handed to the transport. What the kernel took for a peer that dies is lost: a send proves nothing,
//     only an answer does.
//   - Peers come and go; that is no error of a socket, and is told to Config.OnPeer.
//   - Close flushes what is queued until its context ends; what then remains is an *UnsentError.
//
// # Limits
//
// Everything a peer can make this process hold has a limit in Config, checked on the frame header, before anything is
// allocated: bytes and parts of a message, bytes of a command, time and number of handshakes, number of peers,
// subscriptions of a subscriber. A frame's memory is allocated only after its first 32 KiB have arrived. A peer that
// exceeds a limit is dropped with a *LimitError. At most RecvHWM messages or RecvBytes bytes are read ahead, plus one
// message for each peer that was in the middle of sending it.
//
// # Heartbeats
//
// A peer that has been silent for Network.Heartbeat is sent a PING, if it is known to understand PING: because it
// announced ZMTP 3.1 (libzmq 4.3 does), because it is a zsock (it says so in its READY), or because it has sent
// a PING or PONG itself. To others PING would be a stray message. A peer is dropped for having been silent for
// Network.HeartbeatTimeout only if it has answered a PING (or sent one) on this connection before, or if it stopped in
// the middle of a message; silence of any other peer means nothing. PINGs of peers are answered with their context.
// A socket that stops reading because its queue is full sends PINGs meanwhile, so that nobody takes it for dead. libzmq
// does not: a libzmq peer that stops reading for longer than HeartbeatTimeout is dropped.
//
// # Layers
//
// A transport (tcp, ipc, inproc) makes a net.Conn. A link wraps it: it reads frame headers as they pass, enforces the
// limits, swallows commands, and gathers writes. zmq4.Open shakes hands over the link with our own NULL security, and
// zmq4.Conn writes commands; messages are framed here (receive.go, gather.go), since zmq4 allocates for every frame. A
// peer is a link with one reading and one writing goroutine. A socket is a set of peers with queues; Push, Pull, Pub, Sub,
// Req and Rep differ in what they do when a peer joins, sends a message, or leaves.
package zsock
