package zsock

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLargeWriteIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(inprocAddr("large"), 16)
		defer a.Close()
		defer b.Close()
		data := bytes.Repeat([]byte("0123456789"), 1000)
		var writing sync.WaitGroup
		writing.Go(func() {
			for _, part := range [][]byte{data[:10], data[10:]} { // what is in the buffer goes first
				if n, err := a.Write(part); n != len(part) || err != nil {
					t.Errorf("%d of %d bytes were written: %v", n, len(part), err)
				}
			}
		})
		synctest.Wait()
		got := make([]byte, len(data))
		if n, err := b.Read(got); n != len(data) || err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes were read at once, %v", n, len(data), err)
		}
		writing.Wait()
	})
}

func TestCutWriteTellsWhatWasTaken(t *testing.T) {
	for name, cut := range map[string]struct {
		how  func(a, b *pipeEnd)
		want error
	}{
		"deadline": {func(a, _ *pipeEnd) { _ = a.SetWriteDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		"close":    {func(a, _ *pipeEnd) { a.Close() }, net.ErrClosed},
		"gone":     {func(_, b *pipeEnd) { b.Close() }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			there, here := newPipe(inprocAddr(name), 16)
			a, b := there.(*pipeEnd), here.(*pipeEnd)
			defer a.Close()
			defer b.Close()
			type told struct {
				n   int
				err error
			}
			first, second := make(chan told, 1), make(chan told, 1)
			go func() {
				n, err := a.Write(make([]byte, 1000))
				first <- told{n, err}
			}()
			synctest.Wait()
			go func() { // waits for its turn
				n, err := a.Write(make([]byte, 10))
				second <- told{n, err}
			}()
			synctest.Wait()
			if n, err := b.Read(make([]byte, 16+300)); n != 16+300 || err != nil {
				t.Fatal(n, err)
			}
			synctest.Wait()
			cut.how(a, b)
			if got := <-first; got.n != 16+300 || got.err == nil || cut.want != nil && !errors.Is(got.err, cut.want) {
				t.Errorf("%s: the first write told %v", name, got)
			}
			if got := <-second; got.n != 0 || got.err == nil {
				t.Errorf("%s: the second write told %v", name, got)
			}
		})
	}
}
