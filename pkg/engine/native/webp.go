//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"fmt"
	"unsafe"
)

// WebP is libwebp's encoder. It is safe for use by several goroutines.
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
		"WebPPictureFree", "WebPEncode", "WebPMemoryWrite", "WebPMemoryWriterInit", "WebPMemoryWriterClear")
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
