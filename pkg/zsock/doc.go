// Package zsock carries the farm's messages: PUSH, PULL, PUB, SUB, REQ and REP sockets that speak ZMTP 3, and so
// talk to every ZeroMQ library. It builds on the codec of go-zeromq/zmq4, which no other package imports.
//
// # Rules
//
//   - New starts nothing. Listen and Dial start goroutines, all of which have ended when Close returns.
//   - A socket may listen on and dial any number of endpoints. Dial returns at once and connects again for ever, with a
//     backoff. A host name with several addresses is a peer at each of them, IPv6 only if it has no IPv4 address. It is
//     looked up again every Config.ResolveEvery.
//   - Every call that can block takes a context and obeys it. No peer delays another.
//   - A message that was sent belongs to zsock: the caller must not change its bytes. A received message belongs to the
//     caller.
//   - When Send returns nil, the message is queued for a peer. It goes to another one if that peer is lost before the
//     last byte was written. What the kernel took for a peer that dies is lost: a send proves nothing, only an answer
//     does.
//   - Peers come and go. That is no error of a socket; Config.OnPeer is called, and Unreached says which endpoint has
//     none.
//   - Close flushes until its context ends. What is then left is an *UnsentError.
//
// # Limits
//
// Config limits everything that a peer can make this process hold: bytes and parts of a message, bytes of a command,
// time and number of handshakes, number of peers, subscriptions of a subscriber. Limits are checked on the frame
// header, before anything is allocated. A frame's memory is allocated only after its first 32 KiB have arrived. A
// peer that exceeds a limit is dropped with a *LimitError. A socket holds at most RecvHWM messages or RecvBytes
// bytes that the application has not taken, and one more message for each peer that was in the middle of sending it.
// All such messages together stay within ReceivingBytes.
//
// When a socket has MaxPeers, or MaxPeersPerAddress from one address, the peer that has been idle longest makes room
// for another one (evict.go). Subscribers share OwedBytes, and one that reads nothing for StallTimeout is dropped.
//
// # Heartbeats
//
// A peer that has been silent for Network.Heartbeat is sent a PING if it is known to understand that. It is known
// when the peer announced ZMTP 3.1 (as libzmq 4.3 does), is a zsock (its READY says so), or has sent a PING or PONG.
// For any other peer a PING would be a stray message.
//
// A peer is dropped after a silence of Network.HeartbeatTimeout, but only if it has sent a PING or PONG on this
// connection, or stopped in the middle of a message. The silence of any other peer means nothing. PINGs of peers are
// answered with their context.
//
// A socket that stops reading because its queue is full sends PINGs meanwhile, so that its peers do not drop it.
// libzmq does not: a libzmq peer that stops reading for longer than HeartbeatTimeout is dropped.
//
// # Layers
//
// A transport (tcp, tls, ipc, inproc) makes a net.Conn. A link wraps it: it checks frame headers, enforces the
// limits, handles commands and gathers writes. zmq4.Open does the handshake over the link with a NULL security of
// our own, and zmq4.Conn writes commands. Messages are framed here (receive.go, gather.go), because zmq4 allocates
// for every frame. A peer is a link with one reading and one writing goroutine. A socket is a set of peers with
// queues. Push, Pull, Pub, Sub, Req and Rep differ in what they do when a peer comes, sends a message, or leaves.
package zsock
