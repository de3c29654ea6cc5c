//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Dav1d is libdav1d, a decoder of AV1. It is safe for use by several goroutines.
//
// libheif decodes by it, too, but some versions of libheif yield no planes as they are coded: 1.15 turns them into RGB,
// and back when it is asked for them. That takes as long as decoding.
type Dav1d struct {
	Version string

	f functions
}

// LoadDav1d loads libdav1d, whatever the environment says. The two file names of Linux are those of versions 1.2 and
// later, and 1.0 and 1.1: before, struct Dav1dSettings had other fields.
func LoadDav1d() (*Dav1d, error) {
	f, err := load([]string{"libdav1d.so.7", "libdav1d.so.6", "libdav1d.7.dylib", "/opt/homebrew/lib/libdav1d.7.dylib",
		"/usr/local/lib/libdav1d.7.dylib"},
		"dav1d_version", "dav1d_default_settings", "dav1d_open", "dav1d_close", "dav1d_data_create", "dav1d_data_unref",
		"dav1d_send_data", "dav1d_get_picture", "dav1d_picture_unref")
	if err != nil {
		return nil, fmt.Errorf("libdav1d: %w", err)
	}
	version, _ := f.call("dav1d_version")
	return &Dav1d{Version: textAt(version), f: f}, nil
}

// Where fields of the structs of libdav1d are, in bytes, and how much memory the structs get, which is more than they
// take (include/dav1d of versions 1.0 to 1.5).
const (
	dav1dSettingsSize   = 512
	dav1dThreads        = 0
	dav1dFrameDelay     = 4
	dav1dOperatingPoint = 12
	dav1dAllLayers      = 16
	dav1dFrameLimit     = 20 // pixels
	dav1dLoggerCallback = 56
	dav1dInLoopFilters  = 72

	dav1dDataSize  = 256
	dav1dDataBytes = 8 // how many are left

	dav1dPictureSize = 1024
	dav1dPlanes      = 16
	dav1dStrides     = 40 // of luma, of colours
	dav1dWidth       = 56
	dav1dHeight      = 60
	dav1dLayout      = 64
	dav1dDepth       = 68
)

// Decode decodes the open bitstream units of a still picture: its planes as they are coded, as samples of 8 bits.
func (d *Dav1d) Decode(units []byte, opt Dav1dOptions) (*picture.Picture, error) {
	if len(units) == 0 {
		return nil, errors.New("libdav1d: no bytes")
	}
	decoder, err := d.open(opt)
	if err != nil {
		return nil, err
	}
	context := &[1]uintptr{decoder}
	defer func() { d.f.call("dav1d_close", uintptr(unsafe.Pointer(context))) }()
	data, decoded, next := new([dav1dDataSize]byte), new([dav1dPictureSize]byte), new([dav1dPictureSize]byte)
	into, _ := d.f.call("dav1d_data_create", uintptr(unsafe.Pointer(data)), uintptr(len(units)))
	if into == 0 {
		return nil, errors.New("libdav1d has no memory for the file")
	}
	copy(bytesAt(into, len(units)), units)
	defer func() {
		d.f.call("dav1d_data_unref", uintptr(unsafe.Pointer(data)))
		d.f.call("dav1d_picture_unref", uintptr(unsafe.Pointer(decoded)))
	}()
	// The picture is the last one: layers that refine it follow the one that they refine.
	for {
		sent := int32(0)
		if binary.NativeEndian.Uint64(data[dav1dDataBytes:]) > 0 {
			code, _ := d.f.call("dav1d_send_data", decoder, uintptr(unsafe.Pointer(data)))
			sent = int32(code)
		}
		code, _ := d.f.call("dav1d_get_picture", decoder, uintptr(unsafe.Pointer(next)))
		switch got := int32(code); {
		case got == 0:
			d.f.call("dav1d_picture_unref", uintptr(unsafe.Pointer(decoded)))
			*decoded, *next = *next, [dav1dPictureSize]byte{}
		case sent < 0 || binary.NativeEndian.Uint64(data[dav1dDataBytes:]) == 0:
			return copyDav1d(decoded, sent, got)
		}
	}
}

// open opens a decoder in the calling thread.
func (d *Dav1d) open(opt Dav1dOptions) (uintptr, error) {
	order := binary.NativeEndian
	settings, decoder := new([dav1dSettingsSize]byte), new([1]uintptr)
	d.f.call("dav1d_default_settings", uintptr(unsafe.Pointer(settings)))
	order.PutUint32(settings[dav1dThreads:], 1)
	order.PutUint32(settings[dav1dFrameDelay:], 1)
	order.PutUint32(settings[dav1dOperatingPoint:], uint32(opt.OperatingPoint))
	order.PutUint32(settings[dav1dAllLayers:], 0)
	order.PutUint32(settings[dav1dFrameLimit:], uint32(min(opt.MaxPixels, 1<<31-1)))
	order.PutUint64(settings[dav1dLoggerCallback:], 0)
	if opt.Unfiltered {
		order.PutUint32(settings[dav1dInLoopFilters:], 0)
	}
	if code, _ := d.f.call("dav1d_open", uintptr(unsafe.Pointer(decoder)),
		uintptr(unsafe.Pointer(settings))); int32(code) < 0 {
		return 0, fmt.Errorf("libdav1d cannot open a decoder: error %d", -int32(code))
	}
	return decoder[0], nil
}

// copyDav1d copies the planes of a decoded picture. sent and got are what the last calls returned.
func copyDav1d(decoded *[dav1dPictureSize]byte, sent, got int32) (*picture.Picture, error) {
	order := binary.NativeEndian
	number := func(at int) int { return int(int32(order.Uint32(decoded[at:]))) }
	w, h, depth := number(dav1dWidth), number(dav1dHeight), number(dav1dDepth)
	if order.Uint64(decoded[dav1dPlanes:]) == 0 {
		if sent < 0 {
			got = sent
		}
		return nil, fmt.Errorf("libdav1d decodes no picture: error %d", -got)
	}
	p := &picture.Picture{Model: picture.YCbCr}
	planes, across, down := 3, 1, 1
	switch number(dav1dLayout) {
	case 0:
		p.Model, planes = picture.Gray, 1
	case 1:
		across, down = 2, 2
	case 2:
		across = 2
	}
	for i := range planes {
		pw, ph := w, h
		if i > 0 {
			pw, ph = (w+across-1)/across, (h+down-1)/down
		}
		stride := int(int64(order.Uint64(decoded[dav1dStrides+8*min(i, 1):])))
		from := bytesAt(uintptr(order.Uint64(decoded[dav1dPlanes+8*i:])), (ph-1)*stride+pw*((depth+7)/8))
		plane := picture.Whole(make([]byte, pw*ph), pw, ph)
		if i > 0 {
			plane.Across.Length, plane.Down.Length = float64(w)/float64(across), float64(h)/float64(down)
		}
		copySamples(plane.Pix, from, stride, pw, depth)
		p.Planes = append(p.Planes, plane)
	}
	return p, nil
}
