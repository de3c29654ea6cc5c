//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// WebP is libwebp. It is safe for use by several goroutines.
type WebP struct {
	Version string

	f      functions
	config func(config unsafe.Pointer, preset int32, quality float32, version int32) int32
}

// encoderABI is the version of libwebp's structs that this package knows: the upper byte must be the library's.
const encoderABI = 0x20f

// LoadWebP loads libwebp, whatever the environment says.
func LoadWebP() (*WebP, error) {
	f, err := load([]string{"libwebp.so.7", "libwebp.7.dylib", "/opt/homebrew/lib/libwebp.7.dylib",
		"/usr/local/lib/libwebp.7.dylib"},
		"WebPGetEncoderVersion", "WebPConfigInitInternal", "WebPPictureInitInternal", "WebPPictureImportRGBA",
		"WebPPictureFree",
		"WebPEncode", "WebPMemoryWrite", "WebPMemoryWriterInit", "WebPMemoryWriterClear", "WebPInitDecoderConfigInternal",
		"WebPDecode", "WebPFreeDecBuffer")
	if err != nil {
		return nil, fmt.Errorf("libwebp: %w", err)
	}
	w := &WebP{f: f}
	f.bind(&w.config, "WebPConfigInitInternal")
	version, _ := f.call("WebPGetEncoderVersion")
	w.Version = fmt.Sprintf("%d.%d.%d", version>>16&255, version>>8&255, version&255)
	var probe [512]byte
	if w.config(unsafe.Pointer(&probe), 0, 75, encoderABI) == 0 {
		return nil, fmt.Errorf("libwebp %s has other structs than this program knows", w.Version)
	}
	return w, nil
}

// Where fields of struct WebPDecoderConfig are, from its beginning or from that of its output.
const (
	decoderOutput = 40

	outputColorspace = 0
	outputWidth      = 4
	outputHeight     = 8
	outputSamples    = 16
	outputStride     = 24

	modeRGBA = 1
)

// decoderABI is the version of libwebp's structs for decoding that this package knows.
const decoderABI = 0x209

// Decode decodes a still of width×height pixels and gives it to use: interleaved RGB and alpha, which may be changed
// and are gone when use returns.
func (w *WebP) Decode(data []byte, width, height int, use func(pix []byte, stride int)) error {
	if len(data) == 0 {
		return errors.New("libwebp: no bytes")
	}
	order := binary.NativeEndian
	config := new([512]byte)
	if ok, _ := w.f.call("WebPInitDecoderConfigInternal", uintptr(unsafe.Pointer(config)), decoderABI); int32(ok) == 0 {
		return errors.New("libwebp has other structs than this program knows")
	}
	out := config[decoderOutput:]
	order.PutUint32(out[outputColorspace:], modeRGBA)
	status, _ := w.f.call("WebPDecode", uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)),
		uintptr(unsafe.Pointer(config)))
	defer w.f.call("WebPFreeDecBuffer", uintptr(unsafe.Pointer(&out[0])))
	gotW, gotH := int(order.Uint32(out[outputWidth:])), int(order.Uint32(out[outputHeight:]))
	if int32(status) != 0 || gotW != width || gotH != height {
		return fmt.Errorf("libwebp cannot decode it: status %d", int32(status))
	}
	stride := int(order.Uint32(out[outputStride:]))
	use(bytesAt(uintptr(order.Uint64(out[outputSamples:])), (height-1)*stride+4*width), stride)
	return nil
}
