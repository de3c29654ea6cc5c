//go:build unix

package pki

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/cputime"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// BenchmarkTLSBesideTCP measures what TLS adds to messages of the size of a photograph, by processor time of both ends
// in one process. TCP, TLS and the cipher alone take turns, so that all see the same machine. The figures are medians
// of the turns: microseconds of processor time for a message over either, the difference, and what the cipher takes of
// that in any case.
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
	seal := cipherAlone(b, size)
	b.SetBytes(size)
	for b.Loop() {
		var plain, secured, added, floor []float64
		for range turns {
			tcp := processorTime(b, func() { move["tcp://127.0.0.1:0"](messages) }) / messages
			tls := processorTime(b, func() { move["tls://127.0.0.1:0"](messages) }) / messages
			plain, secured, added = append(plain, tcp), append(secured, tls), append(added, tls-tcp)
			floor = append(floor, processorTime(b, func() { seal(messages) })/messages)
		}
		b.ReportMetric(median(plain), "tcp-cpu-µs/msg")
		b.ReportMetric(median(secured), "tls-cpu-µs/msg")
		b.ReportMetric(median(added), "added-cpu-µs/msg")
		b.ReportMetric(median(floor), "cipher-cpu-µs/msg")
	}
}

// cipherAlone returns a function that encrypts and decrypts n messages by AES-128-GCM in records of 16 KiB.
func cipherAlone(b *testing.B, size int) func(n int) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	const payload = 16 << 10
	nonce, record := make([]byte, gcm.NonceSize()), make([]byte, payload, payload+gcm.Overhead())
	return func(n int) {
		for range n * (size / payload) {
			sealed := gcm.Seal(record[:0], nonce, record, nil)
			if _, err := gcm.Open(sealed[:0], nonce, sealed, nil); err != nil {
				b.Error(err)
				return
			}
		}
	}
}

// mover returns a function that moves n messages from a PUSH to a PULL.
func mover(b *testing.B, endpoint string, ends [2]zsock.Network, size int) func(n int) {
	const memories = 16 // as many messages as no processor's own cache holds
	memory := make(reused, memories)
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
	var messages [memories]zsock.Message
	for i := range messages {
		messages[i] = zsock.Message{bytes.Repeat([]byte{byte(i)}, size)}
		memory.Release(make([]byte, size))
	}
	return func(n int) {
		sent := make(chan error, 1)
		go func() {
			for i := range n {
				if err := push.Send(context.Background(), messages[i%memories]); err != nil {
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
	before := cputime.Used()
	do()
	return float64((cputime.Used() - before).Nanoseconds()) / 1e3
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
