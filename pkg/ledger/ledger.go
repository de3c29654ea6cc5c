// Package ledger keeps what became of every task: the farm's only durable state.
//
// A Ledger is one file (bbolt). Append adds entries, many in one transaction. Within a run the first entry of a task
// wins; Append reports later ones as duplicates. The ledger keeps entries in the order in which they were settled.
// Each transaction also updates the indexes (by task id, by name of an output, of rejected and dead tasks) and the
// counts of runs.
//
// # What is durable when
//
// Append returns once the transaction is on disk. bbolt writes the changed pages beside the valid ones and syncs them
// (fdatasync). Then it writes and syncs the page that makes them valid. If the process is killed or the machine loses
// power, the ledger is as the last transaction left it. Open syncs the directory when it makes the file. The ledger
// cannot notice that a disk loses what it reported as synced.
//
// # What it refuses
//
// Open never changes a file that it does not recognise. It refuses a file that is empty, foreign, cut off, damaged
// or of a newer format, with an error that says which. Every entry carries a checksum. A method that reads damaged
// data returns ErrDamaged and does not crash; from then on the ledger refuses new entries.
package ledger

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Config says how to open a ledger. The zero Config is valid.
type Config struct {
	// LockTimeout is how long Open waits until another process closes the file. Default (0): 2 s.
	LockTimeout time.Duration

	// ReadOnly opens an existing ledger for reading only. Several processes may read a ledger at once, but not while one
	// has it open for writing. Default: false.
	ReadOnly bool
}

func (c Config) withDefaults() Config {
	if c.LockTimeout == 0 {
		c.LockTimeout = 2 * time.Second
	}
	return c
}

// Validate returns an error that says in a sentence what is wrong with c.
func (c Config) Validate() error {
	if c.LockTimeout < 0 {
		return fmt.Errorf("the ledger's lock timeout is %v, less than 0", c.LockTimeout)
	}
	return nil
}

// Ledger is an open ledger. One process may write to a ledger at a time. The methods may be called concurrently.
// Methods that read see the state after the last transaction. They do not wait for a writer, and a writer does not
// wait for them.
type Ledger struct {
	path string
	db   *bbolt.DB
	file *os.File // the db's own

	readOnly bool
	late     func() (map[string]uint64, error) // calls lateOutputs once

	writing sync.Mutex // held during a writing transaction
	words   words      // guarded by writing

	damage atomic.Pointer[Fault] // the first damage that a method found
	stuck  atomic.Bool           // bbolt panicked, perhaps while it held its locks: Close must not wait for them
}

// Open opens the ledger at path. If nothing is there, it makes the ledger and its directory.
func Open(path string, cfg Config) (*Ledger, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if !cfg.ReadOnly {
		if err := createIfMissing(path); err != nil {
			return nil, err
		}
	}
	if err := inspectHeader(path); err != nil {
		return nil, err
	}
	l := &Ledger{path: path, readOnly: cfg.ReadOnly}
	l.late = sync.OnceValues(l.lateOutputs)
	if err := l.open(cfg); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Ledger) open(cfg Config) error {
	err := l.guard(func() (err error) {
		l.db, err = bbolt.Open(l.path, 0o666, options(cfg, func(name string, flag int, mode os.FileMode) (*os.File, error) {
			file, err := os.OpenFile(name, flag&^os.O_CREATE, mode)
			l.file = file
			return file, err
		}))
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return &Fault{Kind: ErrInUse, Path: l.path,
			Why: fmt.Sprintf("another process has it open (waited %v)", cfg.LockTimeout)}
	}
	if err != nil {
		return fault(l.path, "open the ledger", err)
	}
	if err := l.checkPlace(); err != nil {
		return err
	}
	l.db.AllocSize = allocSize
	l.db.NoFreelistSync = false
	err = l.guard(func() error {
		if err := inspectTree(l.path, l.file); err != nil {
			return err
		}
		return l.db.View(func(tx *bbolt.Tx) error {
			if err := l.checkFormat(tx); err != nil {
				return err
			}
			return l.words.load(tx)
		})
	})
	if err != nil || cfg.ReadOnly {
		return err
	}
	return l.indexOutputs()
}

// allocSize is by how many bytes the file grows.
const allocSize = 4 << 20

func options(cfg Config, openFile func(string, int, os.FileMode) (*os.File, error)) *bbolt.Options {
	o := &bbolt.Options{
		Timeout:        cfg.LockTimeout,
		ReadOnly:       cfg.ReadOnly,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true, // while opening, so that a file that turns out to be foreign is not written to
		NoStatistics:   true,
		OpenFile:       openFile,
	}
	// Address space costs nothing, and a map that need not grow never makes the writer wait for readers. On Windows
	// the file would grow with it.
	if runtime.GOOS != "windows" && ^uint(0)>>32 != 0 {
		o.InitialMmapSize = 1 << 30
	}
	return o
}

// Path returns the path that the ledger was opened with.
func (l *Ledger) Path() string { return l.path }

// Close closes the file. It waits for the transactions under way.
func (l *Ledger) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.db == nil || l.stuck.Load() {
		if l.file != nil {
			unlock(l.file)
			_ = l.file.Close() // there is nothing left to write
		}
		return nil
	}
	return l.guard(l.db.Close)
}

// view calls f with the state after the last transaction.
func (l *Ledger) view(f func(*bbolt.Tx) error) error {
	return l.guard(func() error { return l.db.View(f) })
}

// update calls f in a transaction, and returns nil once that is on disk. The caller holds l.writing.
func (l *Ledger) update(f func(*bbolt.Tx) error) error {
	if damage := l.damage.Load(); damage != nil {
		return damage
	}
	return l.guard(func() error { return l.db.Update(f) })
}

// guard calls f and returns an error where damaged pages make bbolt panic or read outside the file, which is a
// memory fault.
func (l *Ledger) guard(f func() error) (err error) {
	was := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(was)
		if r := recover(); r != nil {
			l.stuck.Store(true)
			err = &Fault{Kind: ErrDamaged, Path: l.path, Why: fmt.Sprint(r)}
		}
		var f *Fault
		if errors.As(err, &f) && errors.Is(f.Kind, ErrDamaged) {
			l.damage.CompareAndSwap(nil, f)
		}
	}()
	return f()
}
