package tiff

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
)

// Block is a TIFF file, or something that is built like one: EXIF, a camera's raw file, a maker's note. It gives access
// to the directories, for callers that look for something other than pages. It trusts no offset and no count.
type Block struct {
	// First is the offset of the first directory; 0 where the block has no header.
	First uint64

	file *file
}

// ReadBlock reads the header of a block. The versions of raw files, which stand in the place of 42, can be added.
// The error is one of package raster.
func ReadBlock(data []byte, versions ...uint16) (*Block, error) {
	f, first, err := openFile(data, versions...)
	if err != nil {
		return nil, err
	}
	return &Block{First: first, file: f}, nil
}

// NewBlock returns a block without a header, whose offsets count from the beginning of data.
func NewBlock(data []byte, order binary.ByteOrder) *Block {
	return &Block{file: &file{data: data, order: order}}
}

// Order returns the byte order.
func (b *Block) Order() binary.ByteOrder { return b.file.order }

// Directory reads the directory at an offset. The error is one of package raster.
func (b *Block) Directory(at uint64) (*Directory, error) {
	d, err := b.file.directory(at)
	if err != nil {
		return nil, err
	}
	return &Directory{directory: d}, nil
}

// Following returns the offset of the directory that comes after the one at an offset, or 0 where none does.
func (b *Block) Following(at uint64) uint64 {
	next, err := b.file.following(at)
	if err != nil {
		return 0
	}
	return next
}

// Directory is one directory of a Block.
type Directory struct{ directory *directory }

// Has reports whether a tag has a value.
func (d *Directory) Has(tag uint16) bool { return d.directory.has(tag) }

// Int returns the first value of a tag, or the default if the tag is missing, or its value no integer or negative.
func (d *Directory) Int(tag uint16, otherwise int) int { return d.directory.int(tag, otherwise) }

// Ints returns the values of a tag, −1 for one that is no integer or negative.
func (d *Directory) Ints(tag uint16) []int64 {
	e := d.directory.entries[tag]
	list := make([]int64, e.count)
	for i := range list {
		list[i] = d.directory.at(e, i)
	}
	return list
}

// Float returns the value of a tag with an index, or the default if there is none.
func (d *Directory) Float(tag uint16, index int, otherwise float64) float64 {
	return d.directory.float(tag, index, otherwise)
}

// Value returns a tag as it is stored. Where it is missing, Bytes are nil.
func (d *Directory) Value(tag uint16) Value {
	e := d.directory.entries[tag]
	return Value{tag, e.kind, e.count, e.value, e.from}
}

// Values yields all tags in their order.
func (d *Directory) Values() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, tag := range slices.Sorted(maps.Keys(d.directory.entries)) {
			if !yield(d.Value(tag)) {
				return
			}
		}
	}
}

// Value is what a tag holds.
type Value struct {
	Tag, Type uint16
	Count     int
	Bytes     []byte // in the block's byte order
	At        uint64 // where Bytes are in the block
}
