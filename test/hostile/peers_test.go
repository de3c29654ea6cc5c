//go:build linux

package hostile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// peer shakes hands with an endpoint as that kind of socket, and keeps the connection until the test ends. It
// returns nil when the other side closes first.
func peer(t *testing.T, endpoint, kind string) net.Conn {
	t.Helper()
	return peerFrom(t, "", endpoint, kind)
}

// peerFrom is peer from an address of this machine; empty: the system's choice.
func peerFrom(t *testing.T, from, endpoint, kind string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Timeout: farmtest.Limit}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		return nil
	}
	t.Cleanup(func() { _ = conn.Close() })
	hello := make([]byte, 64)
	hello[0], hello[9], hello[10] = 0xFF, 0x7F, 3
	copy(hello[12:], "NULL")
	ready := append([]byte("\x05READY\x0bSocket-Type"), 0, 0, 0, byte(len(kind)))
	ready = append(ready, kind...)
	hello = append(append(hello, 4, byte(len(ready))), ready...)
	_ = conn.SetDeadline(time.Now().Add(farmtest.Limit))
	if _, err := conn.Write(hello); err != nil {
		return nil
	}
	if _, err := io.ReadFull(conn, make([]byte, 64+2)); err != nil {
		return nil
	}
	_ = conn.SetDeadline(time.Time{})
	return conn
}

// memory returns the largest resident size of a process so far, in MiB.
func memory(t testing.TB, p *farmtest.Process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
	return kib >> 10
}

// mustAnswer asks the sink for its status, until it answers. Connections of the last second are not idle yet, so
// that a full socket refuses a new peer at first; the client then connects again.
func mustAnswer(t testing.TB, f *farmtest.Farm) {
	t.Helper()
	c, err := sinkclient.Dial(zsock.Network{}, f.Control)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	for {
		_, err := c.Status(ctx)
		if err == nil {
			return
		}
		if !errors.Is(err, zsock.ErrPeerLost) {
			t.Fatal(err)
		}
	}
}

func TestIdleConnectionsLockNobodyOut(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	for range 1200 {
		peer(t, f.Control, "REQ")
		peer(t, f.Results, "PUSH")
		peer(t, f.Events, "SUB")
	}
	mustAnswer(t, f)
	f.StartWorker("w1")
	f.StartVentilator(photos).MustExit(0)
	sink.MustLive()
	if n := memory(t, sink); n > 400 {
		t.Errorf("the sink took %d MiB", n)
	}
}

// Found: each connection that was refused had a line in the log, as often as anybody liked.
func TestRefusedConnectionsDoNotFillTheLog(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	for range 3000 {
		conn := dialTCP(f.Results)
		if conn == nil {
			t.Fatal("the sink cannot be reached")
		}
		conn.Close()
	}
	mustAnswer(t, f)
	if n := strings.Count(sink.Said(), "refused a connection"); n == 0 || n > 1000 {
		t.Errorf("%d lines of 3000 refused connections", n)
	}
	sink.MustLive()
}

// Found: at 1024 open files, peers of the three sockets took them all; then neither HTTP nor a file could be opened.
func TestIdleConnectionsLeaveFilesToTheSink(t *testing.T) {
	const files = 256
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSinkWithin(files)
	mustAnswer(t, f)
	address := sink.HTTP()
	for i := range files {
		from := fmt.Sprintf("127.0.0.%d", 2+i%8) // one address alone gets three quarters of the places
		for endpoint, kind := range map[string]string{f.Control: "REQ", f.Results: "PUSH", f.Events: "SUB"} {
			peerFrom(t, from, endpoint, kind)
		}
	}
	if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", sink.Cmd.Process.Pid)); err != nil || len(open) > files*3/4 {
		t.Errorf("peers made the sink open %d of %d files, %v", len(open), files, err)
	}
	mustAnswer(t, f)
	if response, err := http.Get(address + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("over HTTP: %v, %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	f.StartWorker("w1")
	f.StartVentilator(photos).MustExit(0)
	if said := sink.Said(); strings.Contains(said, "too many open files") || !strings.Contains(said, "too many peers") {
		t.Errorf("the sink said: %s", said)
	}
}

func TestUnfinishedResultsStayWithinTheBudget(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	before := memory(t, sink)
	for range 40 {
		conn := peer(t, f.Results, "PUSH")
		if conn == nil {
			t.Fatal("the sink refuses a peer")
		}
		go func() {
			_, _ = conn.Write(binary.BigEndian.AppendUint64([]byte{2}, 64<<20))
			_, _ = conn.Write(make([]byte, 60<<20))
		}()
	}
	f.StartWorker("w1")
	f.StartVentilator(photos).MustExit(0)
	sink.MustLive()
	if n := memory(t, sink); n > before+500 {
		t.Errorf("the sink took %d MiB more", n-before)
	} else {
		t.Logf("the sink took %d MiB more", n-before)
	}
}

func TestSubscribersThatNeverReadStayWithinTheBudget(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	before := memory(t, sink)
	for range 12 {
		conn := peer(t, f.Events, "SUB")
		if conn == nil {
			t.Fatal("the sink refuses a subscriber")
		}
		if _, err := conn.Write([]byte{0, 1, 1}); err != nil {
			t.Fatal(err)
		}
	}
	// The sink publishes each heartbeat, with the tasks that it lists.
	held := make([]string, 1000)
	for i := range held {
		held[i] = strings.Repeat("x", wire.MaxID-4) + fmt.Sprintf("%04d", i)
	}
	beat := (&wire.Heartbeat{Worker: "w1", Slots: 1, Held: held}).Encode()
	sendByMany(t, f, 1500, func(int) []byte { return beat })
	mustAnswer(t, f)
	if n := memory(t, sink); n > before+500 {
		t.Errorf("the sink took %d MiB more", n-before)
	} else {
		t.Logf("the sink took %d MiB more", n-before)
	}
}

func TestLargeRequestIsRefused(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	f.StartSink()
	mustAnswer(t, f)
	conn := peer(t, f.Control, "REQ")
	if conn == nil {
		t.Fatal("the sink refuses a peer")
	}
	_ = conn.SetDeadline(time.Now().Add(farmtest.Limit))
	_, _ = conn.Write(binary.BigEndian.AppendUint64([]byte{1, 0, 2}, wire.MaxRequest+1))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
	mustAnswer(t, f)
}
