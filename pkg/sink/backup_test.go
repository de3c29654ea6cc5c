package sink

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestBackupOfASinkThatWorksOpensAndBalances(t *testing.T) {
	s := newStage(t)
	local, err := sinkclient.Dial(s.network, "inproc://local-control")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	const before, after = 50, 50
	for n := 1; n <= before; n++ {
		s.send(done(n).Encode())
		s.await(wire.TopicTaskDone)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := before + 1; n <= before+after; n++ {
			s.send(done(n).Encode())
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	to := filepath.Join(t.TempDir(), "copy.db")
	size, err := local.Backup(ctx, to)
	<-sent
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Size() != size {
		t.Errorf("%v, %v: the copy should have %d bytes", info, err, size)
	}
	copied, err := ledger.Open(to, ledger.Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	totals, err := copied.Totals()
	if err = errors.Join(err, copied.Check(t.Context()), copied.Close()); err != nil || totals.Settled() < before {
		t.Errorf("the copy counts %d images, %v; %d were settled before", totals.Settled(), err, before)
	}
	for n := 0; n < after; n++ {
		s.await(wire.TopicTaskDone)
	}
}

func TestBackupIsRefusedToCallersOfTheNetworkAndForRelativePaths(t *testing.T) {
	s := newStage(t)
	local, err := sinkclient.Dial(s.network, "inproc://local-control")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	to := filepath.Join(t.TempDir(), "copy.db")
	var refused *sinkclient.RefusedError
	if _, err := s.client.Backup(t.Context(), to); !errors.As(err, &refused) {
		t.Errorf("at the control endpoint: %v", err)
	}
	if _, err := local.Backup(t.Context(), "copy.db"); !errors.As(err, &refused) {
		t.Errorf("relative: %v", err)
	}
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}
