package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
)

// inspectTree reads every branch page of every bucket, some hundred for a million entries, and reports pages that are
// not what they should be, lead out of the file, or are reached twice: bbolt would follow a circle until its stack
// overflows, which nothing can catch.
func inspectTree(path string, f io.ReaderAt) error {
	m, _, err := readMeta(f)
	if err == nil {
		t := treeReader{file: f, meta: m, seen: make(map[uint64]bool)}
		err = t.bucket(m.root)
	}
	if err != nil {
		return &Fault{Kind: ErrDamaged, Path: path, Why: err.Error()}
	}
	return nil
}

type treeReader struct {
	file io.ReaderAt
	meta metaPage
	seen map[uint64]bool
}

// page reads the page number id, with what overflows from it.
func (t *treeReader) page(id uint64) ([]byte, error) {
	if id < 2 || id >= t.meta.end {
		return nil, fmt.Errorf("a page number, %d, leads out of the file", id)
	}
	if t.seen[id] {
		return nil, fmt.Errorf("page %d is reached twice", id)
	}
	t.seen[id] = true
	size := uint64(t.meta.pageSize)
	page := make([]byte, size)
	if _, err := t.file.ReadAt(page, int64(id*size)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	order := binary.NativeEndian
	if at := order.Uint64(page); at != id {
		return nil, fmt.Errorf("page %d is marked as page %d", id, at)
	}
	flags, overflow := order.Uint16(page[8:]), uint64(order.Uint32(page[12:]))
	if flags != flagBranch && flags != flagLeaf {
		return nil, fmt.Errorf("page %d has the flags %#x, of neither a branch nor a leaf", id, flags)
	}
	if overflow >= t.meta.end-id {
		return nil, fmt.Errorf("page %d leads out of the file", id)
	}
	if overflow > 0 {
		page = append(page, make([]byte, overflow*size)...)
		if _, err := t.file.ReadAt(page[size:], int64((id+1)*size)); err != nil {
			return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
		}
	}
	if n := uint64(order.Uint16(page[10:])); pageHeaderSize+n*elementSize > uint64(len(page)) {
		return nil, fmt.Errorf("page %d has more elements, %d, than room", id, n)
	}
	return page, nil
}

// tree reads the branch pages below, and with, the page id, and calls leaf with the first leaf below each branch. Of
// the other leaves only the numbers are looked at: they are the bulk of the file.
func (t *treeReader) tree(id uint64, everyLeaf func(page []byte) error) error {
	page, err := t.page(id)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	if order.Uint16(page[8:]) == flagLeaf {
		if err := checkLeaf(id, page); err != nil || everyLeaf == nil {
			return err
		}
		return everyLeaf(page)
	}
	n := int(order.Uint16(page[10:]))
	if n == 0 {
		return fmt.Errorf("page %d is a branch without children", id)
	}
	leaves := false
	for i := range n {
		at := pageHeaderSize + i*elementSize
		pos, keySize := uint64(order.Uint32(page[at:])), uint64(order.Uint32(page[at+4:]))
		child := order.Uint64(page[at+8:])
		if uint64(at)+pos+keySize > uint64(len(page)) {
			return fmt.Errorf("a key of page %d lies outside of it", id)
		}
		if i > 0 && leaves && everyLeaf == nil {
			if child < 2 || child >= t.meta.end || t.seen[child] {
				return fmt.Errorf("page %d leads to page %d, which cannot be", id, child)
			}
			t.seen[child] = true
			continue
		}
		if err := t.tree(child, everyLeaf); err != nil {
			return err
		}
		leaves = i == 0 && t.isLeaf(child) || leaves
	}
	return nil
}

func (t *treeReader) isLeaf(id uint64) bool {
	var flags [2]byte
	_, err := t.file.ReadAt(flags[:], int64(id*uint64(t.meta.pageSize))+8)
	return err == nil && binary.NativeEndian.Uint16(flags[:]) == flagLeaf
}

// checkLeaf reports elements of a leaf that lie outside of its page.
func checkLeaf(id uint64, page []byte) error {
	for e := range elements(page) {
		if e.end > uint64(len(page)) {
			return fmt.Errorf("an element of page %d lies outside of it", id)
		}
	}
	return nil
}

// bucket reads the trees of the buckets that the tree at root holds. The ledger's buckets hold no others.
func (t *treeReader) bucket(root uint64) error {
	return t.tree(root, func(page []byte) error {
		for e := range elements(page) {
			value := page[e.value:e.end]
			if e.flags&flagBucket == 0 || len(value) < 16 {
				return fmt.Errorf("something else than a bucket is among the buckets")
			}
			inner := binary.NativeEndian.Uint64(value)
			if inner == 0 {
				continue // a small bucket, kept here
			}
			if err := t.tree(inner, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

type element struct {
	flags      uint32
	value, end uint64 // offsets into the page
}

// elements yields the elements of a leaf page.
func elements(page []byte) func(func(element) bool) {
	return func(yield func(element) bool) {
		order := binary.NativeEndian
		for i := range int(order.Uint16(page[10:])) {
			at := pageHeaderSize + i*elementSize
			flags, pos := order.Uint32(page[at:]), uint64(order.Uint32(page[at+4:]))
			keySize, valueSize := uint64(order.Uint32(page[at+8:])), uint64(order.Uint32(page[at+12:]))
			value := uint64(at) + pos + keySize
			if !yield(element{flags: flags, value: value, end: value + valueSize}) {
				return
			}
		}
	}
}
