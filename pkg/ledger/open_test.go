package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// written returns the bytes of a ledger with n entries.
func written(t *testing.T, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < n; i += 100 { // several transactions, so that there are free pages
		var batch []Entry
		for j := i; j < min(n, i+100); j++ {
			batch = append(batch, testEntry(j))
		}
		appendAll(t, l, batch...)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// otherBolt returns the bytes of a database of another program.
func otherBolt(t *testing.T, o *bbolt.Options, change func(*bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bbolt.Open(path, 0o666, o)
	if err == nil {
		err = errors.Join(db.Update(change), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUnsoundFilesAreRefusedAndNotChanged(t *testing.T) {
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 300, 300)), nil); err != nil {
		t.Fatal(err)
	}
	sound := written(t, 500)
	header, _, err := readMeta(bytes.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	used := header.end * uint64(header.pageSize)
	both := bytes.Clone(sound)
	both[pageHeaderSize+20]++
	both[os.Getpagesize()+pageHeaderSize+20]++
	noVersion := func(tx *bbolt.Tx) error {
		return errors.Join(makeBuckets(tx), tx.Bucket(bucketFormat).Delete(keyVersion))
	}
	newer := func(tx *bbolt.Tx) error {
		return errors.Join(makeBuckets(tx), tx.Bucket(bucketFormat).Put(keyVersion, []byte{0, 0, 0, formatVersion + 1}))
	}
	half := func(tx *bbolt.Tx) error {
		return errors.Join(makeBuckets(tx), tx.DeleteBucket(bucketCounts))
	}
	some := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("customers"))
		return errors.Join(err, b.Put([]byte("a"), []byte("b")))
	}
	nested := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("customers"))
		for i := range 5000 {
			err = errors.Join(err, b.Put(fmt.Append(nil, i), make([]byte, 100)))
		}
		_, innerErr := b.CreateBucket([]byte("inner"))
		return errors.Join(err, innerErr)
	}
	for _, c := range []struct {
		name string
		data []byte
		kind error
		says string
	}{
		{"an empty file", nil, ErrForeign, "empty"},
		{"a text", []byte("to do: buy milk\n"), ErrForeign, ""},
		{"a long text", bytes.Repeat([]byte("to do: buy milk\n"), 10_000), ErrForeign, ""},
		{"a picture", picture.Bytes(), ErrForeign, ""},
		{"zeros", make([]byte, 1<<16), ErrForeign, ""},
		{"the first 10 bytes", sound[:10], ErrForeign, ""},
		{"the first page", sound[:os.Getpagesize()], ErrDamaged, "cut off"},
		{"half of it", sound[:used/2], ErrDamaged, "cut off"},
		{"all but one byte", sound[:used-1], ErrDamaged, "cut off"},
		{"both headers damaged", both, ErrDamaged, "checksum"},
		{"another program's", otherBolt(t, nil, some), ErrForeign, "other program"},
		{"another program's with much in it", otherBolt(t, nil, nested), ErrForeign, "other program"},
		{"another program's without a list of free pages", otherBolt(t, &bbolt.Options{NoFreelistSync: true}, some),
			ErrForeign, "other program"},
		{"an empty database", otherBolt(t, nil, func(*bbolt.Tx) error { return nil }), ErrForeign, "other program"},
		{"a newer one", otherBolt(t, nil, newer), ErrNewer, "format is 2"},
		{"one without its version", otherBolt(t, nil, noVersion), ErrDamaged, "version"},
		{"one without its counts", otherBolt(t, nil, half), ErrDamaged, "counts"},
	} {
		for _, readOnly := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "ledger.db")
			if err := os.WriteFile(path, c.data, 0o666); err != nil {
				t.Fatal(err)
			}
			l, err := Open(path, Config{ReadOnly: readOnly})
			if err == nil {
				t.Errorf("%s: opened", c.name)
				_ = l.Close()
				continue
			}
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v\nwant a %v with %q and the path", c.name, err, c.kind, c.says)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, c.data) {
				t.Errorf("%s: the file was changed, %v", c.name, err)
			}
		}
	}
}

func TestLedgerOpensWithOneDamagedHeader(t *testing.T) {
	for page := range 2 {
		data := written(t, 300)
		data[page*os.Getpagesize()+pageHeaderSize+20]++
		path := filepath.Join(t.TempDir(), "ledger.db")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		l := openLedger(t, path)
		c, err := l.Totals() // of the last transaction or the one before
		if err != nil || c.Done != 200 && c.Done != 300 {
			t.Errorf("header %d damaged: %d entries, %v", page, c.Done, err)
		}
	}
}

func TestOpenFailsWhereNoLedgerCanBe(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, Config{}); !errors.Is(err, ErrForeign) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none.db"), Config{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing, for reading: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "ledger.db"), Config{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "l.db"), Config{LockTimeout: -1}); err == nil {
		t.Error("a negative timeout was taken")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTemporaryFilesOfKilledProcessesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	old, young := path+newSuffix+"old", path+newSuffix+"young"
	for _, p := range []string{old, young} {
		if err := os.WriteFile(p, []byte("half"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	openLedger(t, path)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an old leftover is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what another process may be making: %v", err)
	}
}

func TestLedgerHasOneWriter(t *testing.T) {
	l := newLedger(t)
	for _, cfg := range []Config{{LockTimeout: time.Millisecond}, {LockTimeout: time.Millisecond, ReadOnly: true}} {
		_, err := Open(l.Path(), cfg)
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), l.Path()) {
			t.Errorf("opened twice: %v", err)
		}
	}
	appendAll(t, l, testEntry(1))
}

func TestReadersShareALedgerAndCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, written(t, 10), 0o444); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, err := Open(path, Config{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, found, err := l.Lookup(testID(3)); !found || err != nil {
			t.Errorf("Lookup: %v, %v", found, err)
		}
		if _, err := l.Append([]Entry{testEntry(50)}); err == nil {
			t.Error("Append succeeded")
		}
	}
}

// Whatever a disk does to a ledger's pages, what is read is right or an error, and nothing crashes or hangs.
func TestDamagedPagesAreReportedWithoutACrash(t *testing.T) {
	const n, rounds = 600, 200
	sound := written(t, n)
	header, _, err := readMeta(bytes.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	page, pages := os.Getpagesize(), int(header.end)
	random := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "ledger.db")
	refused, noticed := 0, 0
	for range rounds {
		data := bytes.Clone(sound)
		at := (2 + random.IntN(pages-2)) * page
		p := data[at : at+page]
		switch random.IntN(6) {
		case 0: // random bytes
			for i := range p {
				p[i] = byte(random.Uint32())
			}
		case 1: // zeros
			clear(p)
		case 2: // another page in its place
			from := random.IntN(pages) * page
			copy(p, sound[from:from+page])
		case 3: // the header
			p[random.IntN(pageHeaderSize)] ^= 1 << random.IntN(8)
		case 4: // a position, size or page number
			p[pageHeaderSize+random.IntN(20*elementSize)] ^= 1 << random.IntN(8)
		case 5: // its number right, its contents not
			for i := 8; i < 400; i++ {
				p[i] = byte(random.Uint32())
			}
			binary.NativeEndian.PutUint16(p[8:], uint16(1+random.IntN(2)))
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		opened, failed := useDamaged(t, path, n)
		if !opened {
			refused++
		} else if failed {
			noticed++
		}
	}
	if refused == 0 || noticed == 0 {
		t.Errorf("of %d damages %d were noticed on opening and %d later", rounds, refused, noticed)
	}
}

// useDamaged does everything with the ledger at path, whose first n entries are testEntry's.
func useDamaged(t *testing.T, path string, n int) (opened, failed bool) {
	t.Helper()
	l, err := Open(path, Config{})
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("Open: %v", err)
		}
		return false, true
	}
	note := func(err error) {
		if err == nil {
			return
		}
		failed = true
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%v, want an ErrDamaged", err)
		}
	}
	check := func(e Entry) {
		want := testEntry(int(e.Seq) - 1)
		want.Seq = e.Seq
		if int(e.Seq) <= n && !reflect.DeepEqual(e, want) {
			t.Errorf("read %+v\nwant %+v", e, want)
		}
	}
	for i := 0; i < n; i += 29 {
		e, found, err := l.Lookup(testID(i))
		note(err)
		if found {
			check(e)
		}
	}
	note(l.Walk(t.Context(), 0, func(e Entry) error { check(e); return nil }))
	note(l.Check(t.Context()))
	_, err = l.Runs()
	note(err)
	e := testEntry(7)
	e.Seq = 8
	_, err = l.Superseded(&e)
	note(err)
	_, _, err = l.Sources()
	note(err)
	var batch []Entry
	for i := range 50 {
		batch = append(batch, testEntry(1_000_000+i))
	}
	_, err = l.Append(batch)
	note(err)
	_, err = l.Revive([]taskid.ID{testID(5)})
	note(err)
	note(l.Close())
	return true, failed
}

func TestFirstImagesFillWhatANewLedgerReserves(t *testing.T) {
	l := newLedger(t)
	size := func() int64 {
		info, err := os.Stat(l.Path())
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	made := size()
	for i := range 20 {
		var batch []Entry
		for j := range 10 {
			batch = append(batch, testEntry(10*i+j))
		}
		appendAll(t, l, batch...)
	}
	data, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	header, _, err := readMeta(bytes.NewReader(data))
	if used := int64(header.end) * int64(header.pageSize); err != nil || used > reserved {
		t.Errorf("200 images take %d bytes, %v; %d are reserved", used, err, reserved)
	}
	if now := size(); now != made {
		t.Errorf("the file grew from %d to %d bytes", made, now)
	}
}
