package ledger

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// What happens to a file while it is open is met in the middle of transactions, where bbolt does not expect it.
func TestDamageOfAnOpenFileIsReported(t *testing.T) {
	random := func(t *testing.T, path string) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, _, err := readMeta(f)
		if err != nil {
			t.Fatal(err)
		}
		garbage := make([]byte, (m.end-2)*uint64(m.pageSize))
		source := rand.New(rand.NewPCG(3, 4))
		for i := range garbage {
			garbage[i] = byte(source.Uint32())
		}
		if _, err := f.WriteAt(garbage, 2*int64(m.pageSize)); err != nil {
			t.Fatal(err)
		}
	}
	cutOff := func(t *testing.T, path string) {
		if err := os.Truncate(path, 2*int64(os.Getpagesize())); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(l *Ledger) error {
		_, _, lookupErr := l.Lookup(testID(7))
		_, settledErr := l.Settled([]taskid.ID{testID(7)})
		_, runsErr := l.Runs()
		walkErr := l.Walk(context.Background(), 0, func(Entry) error { return nil })
		for _, err := range []error{lookupErr, settledErr, runsErr, walkErr} {
			if !errors.Is(err, ErrDamaged) {
				return errors.Join(errors.New("one did not notice"), lookupErr, settledErr, runsErr, walkErr)
			}
		}
		return lookupErr
	}
	adds := func(l *Ledger) error {
		_, err := l.Append([]Entry{testEntry(100_000)})
		return err
	}
	revives := func(l *Ledger) error {
		_, err := l.Revive([]taskid.ID{testID(7)})
		return err
	}
	for damage, do := range map[string]func(*testing.T, string){"random bytes": random, "cut off": cutOff} {
		for use, first := range map[string]func(*Ledger) error{"reading": reads, "adding": adds, "reviving": revives} {
			t.Run(damage+"/"+use, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "ledger.db")
				if err := os.WriteFile(path, written(t, 500), 0o666); err != nil {
					t.Fatal(err)
				}
				l, err := Open(path, Config{})
				if err != nil {
					t.Fatal(err)
				}
				do(t, path)
				if err := first(l); !errors.Is(err, ErrDamaged) || temporary(err) {
					t.Errorf("%s = %v, want a lasting ErrDamaged", use, err)
				}
				if err := adds(l); !errors.Is(err, ErrDamaged) {
					t.Errorf("afterwards, Append = %v", err)
				}
				if err := l.Close(); err != nil {
					t.Errorf("Close = %v", err)
				}
				if _, err := Open(path, Config{}); !errors.Is(err, ErrDamaged) {
					t.Errorf("opened again: %v", err)
				}
			})
		}
	}
}
