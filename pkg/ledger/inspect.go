package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
)

// bbolt trusts its file: it maps the file into memory and follows page numbers wherever they lead. So Open checks
// the file first: its header (inspectHeader) before bbolt opens it, so that nothing writes to a foreign file, and
// its pages (inspectTree) under its lock. guard catches damage that happens while the file is open.
//
// The layout is bbolt's, in the byte order of the machine: every page begins with its number (8 bytes), flags (2),
// count (2) and overflow (4: how many pages more it takes). Pages 0 and 1 go on with a header: see metaPage.
const (
	pageHeaderSize = 16
	elementSize    = 16
	metaSize       = 64 // without the page's header

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of an element of a leaf: its value is a bucket

	noFreelist = ^uint64(0)
)

// metaPage is one of the two headers; the valid one with the higher transaction counts.
type metaPage struct {
	pageSize uint32
	root     uint64 // the page of the tree of buckets
	freelist uint64
	end      uint64 // the first page number that is not in use
	txid     uint64
}

// parseMeta reads a header from the beginning of its page. known reports whether it is bbolt's at all.
func parseMeta(page []byte) (m metaPage, known bool, err error) {
	if len(page) < pageHeaderSize+metaSize {
		return m, false, errors.New("it is too short")
	}
	b := page[pageHeaderSize : pageHeaderSize+metaSize]
	order := binary.NativeEndian
	if order.Uint32(b) != boltMagic {
		return m, false, errors.New("it does not begin like one")
	}
	if v := order.Uint32(b[4:]); v != boltVersion {
		return m, true, fmt.Errorf("its bbolt version is %d, not %d", v, boltVersion)
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	if order.Uint64(b[56:]) != sum.Sum64() {
		return m, true, errors.New("the checksum of its header does not match")
	}
	m = metaPage{
		pageSize: order.Uint32(b[8:]),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		end:      order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	if m.pageSize < 512 || m.pageSize > 1<<24 || m.pageSize&(m.pageSize-1) != 0 {
		return m, true, fmt.Errorf("its page size is %d", m.pageSize)
	}
	return m, true, nil
}

// readMeta returns the header that counts. Where the second one is depends on the page size, which the first one
// tells if it is valid.
func readMeta(f io.ReaderAt) (best metaPage, known bool, err error) {
	var firstErr error
	found := false
	for _, at := range []int64{0, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} {
		page := make([]byte, pageHeaderSize+metaSize)
		n, err := f.ReadAt(page, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return best, known, err
		}
		m, isBolt, err := parseMeta(page[:n])
		known = known || isBolt
		switch {
		case err != nil && (firstErr == nil || isBolt):
			firstErr = err
		case err == nil && (at == 0 || at == int64(m.pageSize)) && (!found || m.txid > best.txid):
			best, found = m, true
		}
	}
	if !found {
		return best, known, firstErr
	}
	return best, true, nil
}

// inspectHeader reports what is wrong with the beginning and the length of the file at path.
func inspectHeader(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return &Fault{Kind: ErrForeign, Path: path, Why: "it is not a regular file"}
	}
	if err != nil {
		return openFault(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return openFault(path, err)
	}
	defer f.Close()
	if info.Size() == 0 {
		return &Fault{Kind: ErrForeign, Path: path, Why: "it is empty; remove it to begin a new ledger"}
	}
	m, known, err := readMeta(f)
	if err != nil && !known {
		return &Fault{Kind: ErrForeign, Path: path, Why: err.Error()}
	}
	if err != nil {
		return &Fault{Kind: ErrDamaged, Path: path, Why: err.Error()}
	}
	if m.freelist == noFreelist {
		return &Fault{Kind: ErrForeign, Path: path, Why: "it is a bbolt database of some other program"}
	}
	// Asked again: the file may have grown since, if another process has it open.
	if info, err = f.Stat(); err != nil {
		return openFault(path, err)
	}
	if want := m.end * uint64(m.pageSize); uint64(info.Size()) < want {
		return &Fault{Kind: ErrDamaged, Path: path,
			Why: fmt.Sprintf("it has been cut off: of at least %d bytes %d are left", want, info.Size())}
	}
	return nil
}

func openFault(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no ledger at %s: %w", path, fs.ErrNotExist)
	}
	return fault(path, "open the ledger", err)
}
