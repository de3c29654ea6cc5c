//go:build unix

package pki

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// BenchmarkTLSBesideTCP measures what TLS adds to messages of the size of a photograph, by processor time of both ends
// in one process. TCP and TLS take turns, so that both see the same machine; the figures are medians of the turns:
// microseconds of processor time for a message over either, and the difference.
func BenchmarkTLSBesideTCP(b *testing.B) {
	const size, turns, messages = 730 << 10, 21, 40
	dir := authority(b, "album")
	ends := map[string][2]zsock.Network{"tcp://127.0.0.1:0": {}, "tls://127.0.0.1:0": {
		{Security: open(b, issue(b, dir, Ventilator, "v1", time.Now()), "")},
		{Security: open(b, issue(b, dir, Worker, "w1", time.Now()), "")},
	}}
	move := make(map[string]func(n int))
	for endpoint, networks := range ends {
		move[endpoint] = mover(b, endpoint, networks, size)
		move[endpoint](4) // they are connected, and have their buffers
	}
	b.SetBytes(size)
	for b.Loop() {
		var plain, secured, added []float64
		for range turns {
			tcp := processorTime(b, func() { move["tcp://127.0.0.1:0"](messages) }) / messages
			tls := processorTime(b, func() { move["tls://127.0.0.1:0"](messages) }) / messages
			plain, secured, added = append(plain, tcp), append(secured, tls), append(added, tls-tcp)
		}
		b.ReportMetric(median(plain), "tcp-cpu-µs/msg")
		b.ReportMetric(median(secured), "tls-cpu-µs/msg")
		b.ReportMetric(median(added), "added-cpu-µs/msg")
	}
}

// mover returns a function that moves n messages from a PUSH to a PULL.
func mover(b *testing.B, endpoint string, ends [2]zsock.Network, size int) func(n int) {
	memory := make(reused, 8)
	push, err := zsock.NewPush(zsock.Config{Network: ends[0], SendHWM: 2})
	if err != nil {
		b.Fatal(err)
	}
	closing(b, push)
	bound, err := push.Listen(endpoint)
	if err != nil {
		b.Fatal(err)
	}
	pull, err := zsock.NewPull(zsock.Config{Network: ends[1], MaxMessage: 4 << 20, RecvHWM: 4, Memory: memory})
	if err != nil {
		b.Fatal(err)
	}
	closing(b, pull)
	if err := pull.Dial(bound); err != nil {
		b.Fatal(err)
	}
	message := zsock.Message{make([]byte, size)}
	return func(n int) {
		sent := make(chan error, 1)
		go func() {
			for range n {
				if err := push.Send(context.Background(), message); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for range n {
			m, err := pull.Recv(context.Background())
			if err != nil || m.Size() != int64(size) {
				b.Error(m.Size(), err)
				return
			}
			memory.Release(m[0])
		}
		if err := <-sent; err != nil {
			b.Error(err)
		}
	}
}

// reused is memory that is used again, as a worker's is.
type reused chan []byte

func (r reused) Buffer(n int) []byte {
	select {
	case p := <-r:
		if cap(p) >= n {
			return p[:n]
		}
	default:
	}
	return make([]byte, n)
}

func (r reused) Release(p []byte) {
	select {
	case r <- p:
	default:
	}
}

// processorTime returns how many microseconds of processor time this process uses while do runs.
func processorTime(b *testing.B, do func()) float64 {
	before := usedTime(b)
	do()
	return float64((usedTime(b) - before).Nanoseconds()) / 1e3
}

// usedTime returns the processor time of this process so far.
func usedTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
