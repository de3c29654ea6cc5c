// Command tiles joins HEIC files, each a tile of 512×512 pixels, to one picture, as phones store theirs:
//
//	go run ./bench/matrix/tiles WIDTH HEIGHT DIR >picture.heic
//
// DIR has files named COLUMN_ROW.png.heic, written by heif-enc with one setting.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

const side = 512

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tiles:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: tiles WIDTH HEIGHT DIR")
	}
	width, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	height, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	columns, rows := (width+side-1)/side, (height+side-1)/side
	var tiles [][]byte
	var config []byte
	for row := range rows {
		for column := range columns {
			name := filepath.Join(args[2], fmt.Sprintf("%d_%d.png.heic", column, row))
			tile, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			top, _ := isobmff.Children(tile)
			meta, _ := isobmff.Children(isobmff.Child(top, "meta")[4:])
			iprp, _ := isobmff.Children(isobmff.Child(meta, "iprp"))
			ipco, _ := isobmff.Children(isobmff.Child(iprp, "ipco"))
			if c := isobmff.Child(ipco, "hvcC"); config == nil {
				config = c
			} else if !bytes.Equal(config, c) {
				return fmt.Errorf("%s: written with other settings than the first", name)
			}
			tiles = append(tiles, isobmff.Child(top, "mdat"))
		}
	}
	_, err = os.Stdout.Write(join(width, height, columns, rows, config, tiles))
	return err
}

// join returns a file of a grid, which is item 1, and its tiles.
func join(width, height, columns, rows int, config []byte, tiles [][]byte) []byte {
	grid := binary.BigEndian.AppendUint16([]byte{0, 0, byte(rows - 1), byte(columns - 1)}, uint16(width))
	grid = binary.BigEndian.AppendUint16(grid, uint16(height))
	items := append([][]byte{grid}, tiles...)
	n := len(items)

	iinf, ipma, refs := numbers(4, 0, 2, n), numbers(4, 0, 4, n), numbers(2, 1, 2, len(tiles))
	for i := range items {
		kind, properties := "hvc1", []byte{2, 0x81, 2}
		if i == 0 {
			kind, properties = "grid", []byte{1, 3}
		} else {
			refs = append(refs, numbers(2, i+1)...)
		}
		iinf = append(iinf, box("infe", numbers(4, 2<<24, 2, i+1, 2, 0), []byte(kind), []byte{0})...)
		ipma = append(append(ipma, numbers(2, i+1)...), properties...)
	}
	iprp := box("iprp", box("ipco", box("hvcC", config), box("ispe", numbers(4, 0, 4, side, 4, side)),
		box("ispe", numbers(4, 0, 4, width, 4, height))), box("ipma", ipma))
	meta := func(start int) []byte { // start: where the first item is in the file
		iloc := numbers(4, 0, 2, 0x4400, 2, n)
		for i, item := range items {
			iloc = append(iloc, numbers(2, i+1, 2, 0, 2, 1, 4, start, 4, len(item))...)
			start += len(item)
		}
		return box("meta", numbers(4, 0), box("hdlr", numbers(4, 0, 4, 0), []byte("pict"), make([]byte, 13)),
			box("pitm", numbers(4, 0, 2, 1)), box("iinf", iinf), iprp,
			box("iref", numbers(4, 0), box("dimg", refs)), box("iloc", iloc))
	}
	head := box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	head = append(head, meta(len(head)+len(meta(0))+8)...)
	return append(head, box("mdat", items...)...)
}

// numbers returns big-endian numbers, each after how many bytes it takes: 2 or 4.
func numbers(sized ...int) []byte {
	var b []byte
	for i := 0; i < len(sized); i += 2 {
		if sized[i] == 2 {
			b = binary.BigEndian.AppendUint16(b, uint16(sized[i+1]))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(sized[i+1]))
		}
	}
	return b
}

func box(kind string, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(data))), kind...), data...)
}
