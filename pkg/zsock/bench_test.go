package zsock

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// BenchmarkPushPull measures messages through a PUSH to 1 or 4 PULLs over TCP on loopback, in slices of a raw loop and
// ours by turns, so that both see the same machine. The figures: ours in msg/s and MB/s, and ratio, ours to the raw
// loop's: length-prefixed messages, header and body in one system call, read through a bufio.Reader.
func BenchmarkPushPull(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10, 2 << 20} {
		for _, peers := range []int{1, 4} {
			b.Run(fmt.Sprintf("%dKB/1to%d", size>>10, peers), func(b *testing.B) { benchmarkBeside(b, size, peers) })
		}
	}
}

func benchmarkBeside(b *testing.B, size, peers int) {
	ours, raw := newOurLoop(b, size, peers), newRawLoop(b, size, peers)
	ours(peers) // everybody is connected
	raw(peers)
	const rounds = 5
	var oursTime, rawTime time.Duration
	b.SetBytes(int64(size))
	b.ResetTimer()
	for i := range rounds {
		n := b.N*(i+1)/rounds - b.N*i/rounds
		start := time.Now()
		ours(n)
		oursTime += time.Since(start)
		b.StopTimer()
		start = time.Now()
		raw(n)
		rawTime += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)/oursTime.Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/rawTime.Seconds(), "raw-msg/s")
	b.ReportMetric(rawTime.Seconds()/oursTime.Seconds(), "ratio")
}

// newOurLoop returns a function that moves n messages.
func newOurLoop(b *testing.B, size, peers int) func(n int) {
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	cfg := Config{MaxMessage: 4 << 20}
	up := newEvents()
	pushCfg := cfg
	pushCfg.OnPeer = up.on
	push := opened(b, NewPush, pushCfg)
	bound := mustListen(b, push, "tcp://127.0.0.1:0")
	received := make(chan struct{}, 1<<16)
	for range peers {
		pull := opened(b, NewPull, cfg)
		mustDial(b, pull, bound)
		go func() {
			for {
				m, err := pull.Recv(ctx)
				if err != nil {
					return
				}
				if len(m[0]) != size {
					panic("a message of the wrong size")
				}
				received <- struct{}{}
			}
		}()
		up.wait(b, PeerUp)
	}
	body := make([]byte, size)
	return func(n int) {
		go func() {
			for range n {
				if err := push.Send(ctx, Message{body}); err != nil {
					return
				}
			}
		}()
		for range n {
			<-received
		}
	}
}

// newRawLoop returns a function that moves n messages by turns over plain connections.
func newRawLoop(b *testing.B, size, peers int) func(n int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	received := make(chan struct{}, 1<<16)
	queues := make([]chan []byte, peers)
	for i := range peers {
		reading, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		writing, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		queues[i] = make(chan []byte, 1000)
		b.Cleanup(func() { _, _ = reading.Close(), writing.Close(); close(queues[i]) })
		go func() {
			r := bufio.NewReaderSize(reading, 32<<10)
			var header [8]byte
			for {
				if _, err := io.ReadFull(r, header[:]); err != nil {
					return
				}
				body := make([]byte, binary.BigEndian.Uint64(header[:]))
				if _, err := io.ReadFull(r, body); err != nil {
					return
				}
				received <- struct{}{}
			}
		}()
		go func() {
			var small []byte
			for body := range queues[i] {
				if len(body) <= gatherCopy {
					small = binary.BigEndian.AppendUint64(small[:0], uint64(len(body)))
					_, _ = writing.Write(append(small, body...))
					continue
				}
				header := binary.BigEndian.AppendUint64(nil, uint64(len(body)))
				buffers := net.Buffers{header, body}
				_, _ = buffers.WriteTo(writing)
			}
		}()
	}
	body := make([]byte, size)
	return func(n int) {
		go func() {
			for i := range n {
				queues[i%peers] <- body
			}
		}()
		for range n {
			<-received
		}
	}
}
