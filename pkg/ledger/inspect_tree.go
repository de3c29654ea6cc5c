package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// inspectTree reads the file once from its beginning to its end and reports pages in use that are not what they should
// be, whose elements lie outside of them, that lead out of the file, are reached twice, or count as free too. bbolt
// would follow a circle until its stack overflows, take a wrong size for gigabytes to free, or write over pages that
// are in use; none of these can be caught when they happen.
func inspectTree(path string, f io.ReaderAt) error {
	m, _, err := readMeta(f)
	if err == nil {
		t := treeReader{file: f, meta: m}
		err = t.inspect()
	}
	if err != nil {
		return &Fault{Kind: ErrDamaged, Path: path, Why: err.Error()}
	}
	return nil
}

type treeReader struct {
	file  io.ReaderAt
	meta  metaPage
	pages []pageHead // by number; 8 bytes for each page of the file
}

// pageHead is what is kept of a page, whether it is in use or not.
type pageHead struct {
	flags    uint16
	unsound  bool // it would be damaged if it were in use
	reached  bool
	overflow uint32
}

func (t *treeReader) inspect() error {
	if t.meta.end < 2 || t.meta.end > math.MaxInt64/uint64(t.meta.pageSize) {
		return fmt.Errorf("its header counts %d pages", t.meta.end)
	}
	if err := t.scan(); err != nil {
		return err
	}
	if err := t.buckets(); err != nil {
		return err
	}
	return t.freelist()
}

// scan fills t.pages, reading a megabyte and more at a time.
func (t *treeReader) scan() error {
	t.pages = make([]pageHead, t.meta.end)
	size := uint64(t.meta.pageSize)
	atOnce := max(1, 1<<20/size)
	buf := make([]byte, atOnce*size)
	for first := uint64(0); first < t.meta.end; first += atOnce {
		n := min(atOnce, t.meta.end-first)
		if _, err := t.file.ReadAt(buf[:n*size], int64(first*size)); err != nil {
			return fmt.Errorf("page %d and those that follow cannot be read: %w", first, err)
		}
		for i := range n {
			page := buf[i*size : (i+1)*size]
			head := &t.pages[first+i]
			head.flags, head.overflow = binary.NativeEndian.Uint16(page[8:]), binary.NativeEndian.Uint32(page[12:])
			head.unsound = t.checkHead(first+i, page) != nil ||
				head.overflow == 0 && checkElements(first+i, page) != nil
		}
	}
	return nil
}

// checkHead reports what is wrong with the header of the page number id.
func (t *treeReader) checkHead(id uint64, page []byte) error {
	order := binary.NativeEndian
	if at := order.Uint64(page); at != id {
		return fmt.Errorf("page %d is marked as page %d", id, at)
	}
	if overflow := uint64(order.Uint32(page[12:])); overflow >= t.meta.end-id {
		return fmt.Errorf("page %d leads out of the file", id)
	}
	return nil
}

// checkElements reports what is wrong with the elements of a branch or leaf page, given with its overflow.
func checkElements(id uint64, page []byte) error {
	order := binary.NativeEndian
	flags, n := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	switch {
	case flags != flagBranch && flags != flagLeaf:
		return fmt.Errorf("page %d has the flags %#x, of neither a branch nor a leaf", id, flags)
	case pageHeaderSize+n*elementSize > len(page):
		return fmt.Errorf("page %d has more elements, %d, than room", id, n)
	case flags == flagBranch && n == 0:
		return fmt.Errorf("page %d is a branch without children", id)
	}
	for i := range n {
		if e := elementAt(page, i); e.end > uint64(len(page)) {
			return fmt.Errorf("an element of page %d lies outside of it", id)
		}
	}
	return nil
}

// An element is a key and a value of a leaf, or a key and the number of a page of a branch.
type element struct {
	flags      uint32
	child      uint64 // of a branch
	value, end uint64 // offsets into the page
}

func elementAt(page []byte, i int) element {
	order := binary.NativeEndian
	at := pageHeaderSize + i*elementSize
	b := page[at : at+elementSize]
	if order.Uint16(page[8:]) == flagBranch {
		end := uint64(at) + uint64(order.Uint32(b)) + uint64(order.Uint32(b[4:]))
		return element{child: order.Uint64(b[8:]), value: end, end: end}
	}
	value := uint64(at) + uint64(order.Uint32(b[4:])) + uint64(order.Uint32(b[8:]))
	return element{flags: order.Uint32(b), value: value, end: value + uint64(order.Uint32(b[12:]))}
}

// reach marks the page number id, with its overflow, as in use.
func (t *treeReader) reach(id uint64) (pageHead, error) {
	if id < 2 || id >= t.meta.end {
		return pageHead{}, fmt.Errorf("a page number, %d, leads out of the file", id)
	}
	head := t.pages[id]
	for i := id; i <= id+uint64(head.overflow) && i < t.meta.end; i++ {
		if t.pages[i].reached {
			return pageHead{}, fmt.Errorf("page %d is reached twice", i)
		}
		t.pages[i].reached = true
	}
	return head, nil
}

// read returns the page number id with its overflow, once its header is known to be sound.
func (t *treeReader) read(id uint64) ([]byte, error) {
	size := uint64(t.meta.pageSize)
	first := make([]byte, size)
	if _, err := t.file.ReadAt(first, int64(id*size)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	if err := t.checkHead(id, first); err != nil {
		return nil, err
	}
	page := make([]byte, (1+uint64(binary.NativeEndian.Uint32(first[12:])))*size)
	if _, err := t.file.ReadAt(page, int64(id*size)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	return page, nil
}

// tree marks the pages of the tree at the page number id, and calls leaf, unless it is nil, with its leaves.
func (t *treeReader) tree(id uint64, leaf func(page []byte) error) error {
	head, err := t.reach(id)
	if err != nil {
		return err
	}
	if head.flags == flagLeaf && !head.unsound && head.overflow == 0 && leaf == nil {
		return nil // the bulk of the file
	}
	page, err := t.read(id)
	if err == nil {
		err = checkElements(id, page)
	}
	if err != nil {
		return err
	}
	if head.flags == flagLeaf {
		if leaf == nil {
			return nil
		}
		return leaf(page)
	}
	for i := range int(binary.NativeEndian.Uint16(page[10:])) {
		if err := t.tree(elementAt(page, i).child, leaf); err != nil {
			return err
		}
	}
	return nil
}

// buckets marks the pages of every bucket. The ledger's buckets hold no others.
func (t *treeReader) buckets() error {
	return t.tree(t.meta.root, func(page []byte) error {
		for i := range int(binary.NativeEndian.Uint16(page[10:])) {
			e := elementAt(page, i)
			value := page[e.value:e.end]
			if e.flags&flagBucket == 0 || len(value) < 16 {
				return errors.New("something else than a bucket is among the buckets")
			}
			root := binary.NativeEndian.Uint64(value)
			if root == 0 { // a small bucket, kept here: a page of its own number 0
				inline := append([]byte(nil), value[16:]...)
				if len(inline) < pageHeaderSize {
					return errors.New("a small bucket is cut off")
				}
				if err := checkElements(0, inline); err != nil {
					return err
				}
				continue
			}
			if err := t.tree(root, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// freelist makes sure that no page counts as free that is in use.
func (t *treeReader) freelist() error {
	id := t.meta.freelist
	if _, err := t.reach(id); err != nil {
		return err
	}
	page, err := t.read(id)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	if order.Uint16(page[8:]) != flagFreelist {
		return fmt.Errorf("page %d is not the list of free pages", id)
	}
	n, at := uint64(order.Uint16(page[10:])), uint64(pageHeaderSize)
	if n == math.MaxUint16 { // too many for the header: the count comes first
		n, at = order.Uint64(page[at:]), at+8
	}
	if n > (uint64(len(page))-at)/8 {
		return fmt.Errorf("the list of free pages counts %d, more than it has room for", n)
	}
	for i := range n {
		free := order.Uint64(page[at+i*8:])
		if free < 2 || free >= t.meta.end || t.pages[free].reached {
			return fmt.Errorf("page %d counts as free and is not", free)
		}
		t.pages[free].reached = true
	}
	return nil
}
