//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// TurboJPEG is libturbojpeg, the simple interface of libjpeg-turbo. It is safe for use by several goroutines.
type TurboJPEG struct{ f functions }

// LoadTurboJPEG loads libturbojpeg, whatever the environment says.
func LoadTurboJPEG() (*TurboJPEG, error) {
	f, err := load([]string{"libturbojpeg.so.0", "libturbojpeg.0.dylib", "/opt/homebrew/lib/libturbojpeg.0.dylib",
		"/usr/local/lib/libturbojpeg.0.dylib"},
		"tjInitTransform", "tjTransform", "tjDestroy", "tjFree", "tjGetErrorStr2")
	if err != nil {
		return nil, fmt.Errorf("libturbojpeg: %w", err)
	}
	return &TurboJPEG{f}, nil
}

// Huffman returns the same JPEG, bit for bit as far as the picture goes, coded by Huffman's codes in sequence, and
// without its metadata. The error says what is wrong with it.
func (t *TurboJPEG) Huffman(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("libturbojpeg: no bytes")
	}
	handle, _ := t.f.call("tjInitTransform")
	if handle == 0 {
		return nil, errors.New("libturbojpeg has no memory")
	}
	defer t.f.call("tjDestroy", handle)
	var pin runtime.Pinner
	defer pin.Unpin()
	// struct tjtransform: x, y, width, height, operation, options: 32 bits each; data, filter: pointers
	const options, copyNothing, stopOnWarning = 5, 64, 8192
	transform, out, size := new([10]uint32), new(uintptr), new(uint64)
	transform[options] = copyNothing
	pin.Pin(&data[0])
	pin.Pin(transform)
	pin.Pin(out)
	pin.Pin(size)
	status, _ := t.f.call("tjTransform", handle, uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)), 1,
		uintptr(unsafe.Pointer(out)), uintptr(unsafe.Pointer(size)), uintptr(unsafe.Pointer(transform)), stopOnWarning)
	defer func() { t.f.call("tjFree", *out) }()
	if int32(status) != 0 {
		text, _ := t.f.call("tjGetErrorStr2", handle)
		return nil, fmt.Errorf("libturbojpeg: %s", textAt(text))
	}
	return bytes.Clone(bytesAt(*out, int(*size))), nil
}
