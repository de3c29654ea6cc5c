package main

import (
	"encoding/binary"
	"image"
	"math/bits"
)

// webpLossless writes a picture as lossless WebP: subtracted green, one set of Huffman codes, no back references.
func webpLossless(m image.Image) []byte {
	n := eightBit(m)
	w, h := n.Rect.Dx(), n.Rect.Dy()
	symbols := make([][4]int, w*h) // green, red − green, blue − green, alpha: each less the pixel to the left
	var counts [4][256]int
	sub := func(o int) [4]int {
		g := int(n.Pix[o+1])
		return [4]int{g, int(n.Pix[o]) - g, int(n.Pix[o+2]) - g, int(n.Pix[o+3])}
	}
	for i := range symbols {
		cur := sub(i * 4)
		var left [4]int
		switch {
		case i == 0:
			left = [4]int{3: 255}
		case i%w == 0:
			left = sub((i - w) * 4)
		default:
			left = sub((i - 1) * 4)
		}
		for k := range 4 {
			symbols[i][k] = (cur[k] - left[k]) & 255
			counts[k][symbols[i][k]]++
		}
	}
	b := &lsbWriter{}
	b.put(0x2f, 8)
	b.put(uint32(w-1), 14)
	b.put(uint32(h-1), 14)
	b.put(1, 1) // alpha is used
	b.put(0, 3)
	// The transforms are undone in the opposite order.
	b.put(1, 1)
	b.put(2, 2) // subtract green
	b.put(1, 1)
	b.put(0, 2) // predictor, over blocks of 512 pixels, with one mode for all: 1, the pixel to the left
	b.put(7, 3)
	b.put(0, 1) // no colour cache
	for _, s := range []uint32{1, 0, 0, 0, 0} {
		b.simple(s)
	}
	b.put(0, 1) // no more transforms
	b.put(0, 1) // no colour cache
	b.put(0, 1) // no meta codes
	var codes [4][256]uint32
	var sizes [4][256]uint8
	for k := range 4 {
		codes[k], sizes[k] = b.tree(counts[k][:], k == 0)
	}
	b.simple(0) // distances: none
	for _, s := range symbols {
		for k, v := range s {
			b.put(codes[k][v], int(sizes[k][v]))
		}
	}
	data := b.bytes()
	out := []byte("RIFF\x00\x00\x00\x00WEBPVP8L")
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

type lsbWriter struct {
	out []byte
	acc uint64
	n   int
}

func (b *lsbWriter) put(v uint32, n int) {
	b.acc |= uint64(v) << b.n
	for b.n += n; b.n >= 8; b.n -= 8 {
		b.out = append(b.out, byte(b.acc))
		b.acc >>= 8
	}
}

func (b *lsbWriter) bytes() []byte {
	if b.n > 0 {
		b.put(0, 8-b.n)
	}
	return b.out
}

// simple writes a code of one symbol, which takes no bits.
func (b *lsbWriter) simple(symbol uint32) {
	b.put(1, 1)
	b.put(0, 1)
	b.put(1, 1)
	b.put(symbol, 8)
}

// tree writes a code for the counts. Its words are read from the lowest bit.
func (b *lsbWriter) tree(counts []int, green bool) (codes [256]uint32, sizes [256]uint8) {
	distinct, only := 0, 0
	for v, n := range counts {
		if n > 0 {
			distinct++
			only = v
		}
	}
	if distinct == 1 {
		b.simple(uint32(only))
		return codes, sizes
	}
	sizes = lengths(counts)
	word := uint32(0)
	for n := uint8(1); n <= 15; n++ {
		for v := range 256 {
			if sizes[v] == n {
				codes[v] = bits.Reverse32(word) >> (32 - n)
				word++
			}
		}
		word <<= 1
	}
	// The lengths are written with a flat code of 4 bits for 0 to 15, in the format's own order.
	b.put(0, 1)
	b.put(15, 4)
	for _, s := range []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		if s < 16 {
			b.put(4, 3)
		} else {
			b.put(0, 3)
		}
	}
	total := 256
	if green {
		total += 24 // lengths of back references, never used
	}
	b.put(0, 1)
	for v := range total {
		n := uint32(0)
		if v < 256 {
			n = uint32(sizes[v])
		}
		b.put(bits.Reverse32(n)>>28, 4)
	}
	return codes, sizes
}

// lengths gives each symbol its word's length: Huffman's, with the counts flattened until none is over 15.
func lengths(counts []int) (sizes [256]uint8) {
	for floor := 0; ; floor = floor*2 + 1 {
		type node struct{ count, left, right int }
		var nodes []node
		var open []int
		for v, n := range counts {
			nodes = append(nodes, node{max(n, floor), -1, -1})
			if n > 0 {
				open = append(open, v)
			}
		}
		for len(open) > 1 {
			var pair [2]int
			for k := range pair {
				best := 0
				for i, o := range open {
					if nodes[o].count < nodes[open[best]].count {
						best = i
					}
				}
				pair[k] = open[best]
				open = append(open[:best], open[best+1:]...)
			}
			nodes = append(nodes, node{nodes[pair[0]].count + nodes[pair[1]].count, pair[0], pair[1]})
			open = append(open, len(nodes)-1)
		}
		deepest := 0
		var walk func(i, depth int)
		walk = func(i, depth int) {
			if nodes[i].left < 0 {
				sizes[i] = uint8(depth)
				deepest = max(deepest, depth)
				return
			}
			walk(nodes[i].left, depth+1)
			walk(nodes[i].right, depth+1)
		}
		walk(open[0], 0)
		if deepest <= 15 {
			return sizes
		}
	}
}
