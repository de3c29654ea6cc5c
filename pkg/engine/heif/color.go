package heif

import (
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// color is how samples become colours, in the numbers of H.273. 2 means that nothing is said.
type color struct {
	primaries, transfer, matrix int
	full                        bool
	gray                        bool
	icc                         []byte
}

const unspecified = 2

// colorOf returns the colours of an item: what its colr properties say, else those of its first tile, else what the
// codec's own header says.
func (f *File) colorOf(it, coded *item) color {
	c := color{primaries: unspecified, transfer: unspecified, matrix: unspecified}
	if coded.kind == "hvc1" {
		c.readHEVC(coded.property("hvcC"))
	} else {
		c.readAV1(coded)
	}
	c.readProperties(coded)
	c.readProperties(it)
	return c
}

// readProperties reads colr boxes. There may be one of each kind: a profile, and numbers.
//
//	colr { "nclx" primaries:16 transfer:16 matrix:16 full:1 | "prof"|"rICC" profile }
func (c *color) readProperties(it *item) {
	for _, b := range it.properties {
		if b.Kind != "colr" || len(b.Data) < 5 {
			continue
		}
		switch string(b.Data[:4]) {
		case "prof", "rICC":
			c.icc = b.Data[4:]
		case "nclx":
			if len(b.Data) >= 11 {
				c.primaries, c.transfer, c.matrix = be16(b.Data[4:]), be16(b.Data[6:]), be16(b.Data[8:])
				c.full = b.Data[10]&0x80 != 0
			}
		}
	}
}

// numbers returns the data of a colr box that says the same.
func (c *color) numbers() []byte {
	b := []byte("nclx")
	for _, n := range []int{c.primaries, c.transfer, c.matrix} {
		b = append(b, byte(n>>8), byte(n))
	}
	if c.full {
		return append(b, 0x80)
	}
	return append(b, 0)
}

// describe writes matrix and range into a picture of a codec's planes.
//
// A codec that converts yields RGB in the full range already. The matrix 0 means that the planes are green, blue and
// red.
func (c *color) describe(p *picture.Picture) {
	if p.Model == picture.RGB {
		return
	}
	p.Limited = !c.full
	switch c.matrix {
	case 0:
		if p.Model == picture.YCbCr && p.Planes[1].Width == p.Width() && p.Planes[1].Height == p.Height() {
			p.Model, p.Limited = picture.RGB, false
			p.Planes[0], p.Planes[1], p.Planes[2] = p.Planes[2], p.Planes[0], p.Planes[1]
		}
	case 1:
		p.Matrix = picture.BT709
	case 9, 10:
		p.Matrix = picture.BT2020
	default:
		p.Matrix = picture.BT601
	}
}
