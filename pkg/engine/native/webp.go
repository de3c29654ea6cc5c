//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
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
	f, err := load([]string{"libwebp.so.7", "libwebp.7.dylib", "/opt/homebrew/lib/libwebp.7.dylib", "/usr/local/lib/libwebp.7.dylib"},
		"WebPGetEncoderVersion", "WebPConfigInitInternal", "WebPPictureInitInternal", "WebPPictureImportRGBA", "WebPPictureFree",
		"WebPEncode", "WebPMemoryWrite", "WebPMemoryWriterInit", "WebPMemoryWriterClear", "WebPFree", "WebPDecodeYUV",
		"WebPDecodeRGBA")
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

// Decode decodes a still: the planes of a lossy one, in the limited range, or RGB and alpha where withAlpha asks for that or
// the coding is lossless.
func (w *WebP) Decode(data []byte, rgb bool) (*picture.Picture, error) {
	if len(data) == 0 {
		return nil, errors.New("libwebp: no bytes")
	}
	var width, height, stride, colorStride int32
	var u, v uintptr
	size := uintptr(len(data))
	if rgb {
		p, _ := w.f.call("WebPDecodeRGBA", uintptr(unsafe.Pointer(&data[0])), size, uintptr(unsafe.Pointer(&width)),
			uintptr(unsafe.Pointer(&height)))
		if p == 0 {
			return nil, errDecode
		}
		defer w.f.call("WebPFree", p)
		return separate(bytesAt(p, 4*int(width)*int(height)), int(width), int(height)), nil
	}
	y, _ := w.f.call("WebPDecodeYUV", uintptr(unsafe.Pointer(&data[0])), size, uintptr(unsafe.Pointer(&width)),
		uintptr(unsafe.Pointer(&height)), uintptr(unsafe.Pointer(&u)), uintptr(unsafe.Pointer(&v)),
		uintptr(unsafe.Pointer(&stride)), uintptr(unsafe.Pointer(&colorStride)))
	if y == 0 {
		return nil, errDecode
	}
	defer w.f.call("WebPFree", y)
	p := &picture.Picture{Model: picture.YCbCr, Limited: true}
	p.Planes = append(p.Planes, copied(y, int(stride), int(width), int(height), 1))
	for _, from := range []uintptr{u, v} {
		p.Planes = append(p.Planes, copied(from, int(colorStride), int(width), int(height), 2))
	}
	return p, nil
}

var errDecode = errors.New("libwebp cannot decode it")

// copied copies the plane of a picture of w×h pixels, of which each sample covers unit×unit.
func copied(from uintptr, stride, w, h, unit int) picture.Plane {
	pw, ph := (w+unit-1)/unit, (h+unit-1)/unit
	out := picture.Whole(make([]byte, pw*ph), pw, ph)
	out.Across.Length, out.Down.Length = float64(w)/float64(unit), float64(h)/float64(unit)
	pix := bytesAt(from, (ph-1)*stride+pw)
	for y := range ph {
		copy(out.Pix[y*pw:][:pw], pix[y*stride:])
	}
	return out
}

// separate returns interleaved RGBA as planes.
func separate(pix []byte, w, h int) *picture.Picture {
	p := &picture.Picture{Model: picture.RGB}
	for c := range 4 {
		plane := picture.Whole(make([]byte, w*h), w, h)
		for i := range plane.Pix {
			plane.Pix[i] = pix[4*i+c]
		}
		if c == 3 {
			if slices.ContainsFunc(plane.Pix, func(a byte) bool { return a != 255 }) {
				p.Alpha = &plane
			}
		} else {
			p.Planes = append(p.Planes, plane)
		}
	}
	return p
}

// Where fields of struct WebPConfig and struct WebPPicture are.
const (
	configMethod = 8

	pictureUseARGB     = 0
	pictureWidth       = 8
	pictureHeight      = 12
	pictureY           = 16
	pictureU           = 24
	pictureV           = 32
	pictureStride      = 40
	pictureColorStride = 44
	pictureWriter      = 96
	pictureCustom      = 104
	pictureErrorCode   = 136
	writerSize         = 8
)

// Encode encodes planes of YCbCr in the limited range with half the resolution of colour, without alpha. quality is 1 to 100,
// method 0 (fast) to 6.
func (w *WebP) Encode(p *picture.Picture, quality, method int) ([]byte, error) {
	y, u, v := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	return w.encode(p.Width(), p.Height(), quality, method, func(frame *[512]byte) bool {
		order := binary.NativeEndian
		for at, plane := range map[int][]byte{pictureY: y.Pix, pictureU: u.Pix, pictureV: v.Pix} {
			order.PutUint64(frame[at:], uint64(uintptr(unsafe.Pointer(&plane[0]))))
		}
		order.PutUint32(frame[pictureStride:], uint32(y.Stride))
		order.PutUint32(frame[pictureColorStride:], uint32(u.Stride))
		return true
	}, y.Pix, u.Pix, v.Pix)
}

// EncodeRGBA encodes interleaved samples with straight alpha, which is stored where anything is transparent.
func (w *WebP) EncodeRGBA(pix []byte, stride, width, height, quality, method int) ([]byte, error) {
	return w.encode(width, height, quality, method, func(frame *[512]byte) bool {
		ok, _ := w.f.call("WebPPictureImportRGBA", uintptr(unsafe.Pointer(frame)), uintptr(unsafe.Pointer(&pix[0])), uintptr(stride))
		return int32(ok) != 0
	}, pix)
}

// encode encodes what fill puts into a struct WebPPicture. pinned is memory whose addresses fill puts there.
func (w *WebP) encode(width, height, quality, method int, fill func(*[512]byte) bool, pinned ...[]byte) ([]byte, error) {
	order := binary.NativeEndian
	config, frame, writer := new([512]byte), new([512]byte), new([64]byte)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(writer)
	for _, p := range pinned {
		pin.Pin(&p[0])
	}
	if w.config(unsafe.Pointer(config), 0, float32(quality), encoderABI) == 0 {
		return nil, errors.New("libwebp refuses the quality")
	}
	order.PutUint32(config[configMethod:], uint32(method))
	if ok, _ := w.f.call("WebPPictureInitInternal", uintptr(unsafe.Pointer(frame)), encoderABI); int32(ok) == 0 {
		return nil, errors.New("libwebp has other structs than this program knows")
	}
	w.f.call("WebPMemoryWriterInit", uintptr(unsafe.Pointer(writer)))
	defer w.f.call("WebPMemoryWriterClear", uintptr(unsafe.Pointer(writer)))
	order.PutUint32(frame[pictureWidth:], uint32(width))
	order.PutUint32(frame[pictureHeight:], uint32(height))
	order.PutUint64(frame[pictureWriter:], uint64(w.f["WebPMemoryWrite"]))
	order.PutUint64(frame[pictureCustom:], uint64(uintptr(unsafe.Pointer(writer))))
	ok := fill(frame)
	if ok {
		done, _ := w.f.call("WebPEncode", uintptr(unsafe.Pointer(config)), uintptr(unsafe.Pointer(frame)))
		ok = int32(done) != 0
	}
	w.f.call("WebPPictureFree", uintptr(unsafe.Pointer(frame)))
	if !ok {
		return nil, fmt.Errorf("libwebp cannot encode the picture: error %d", order.Uint32(frame[pictureErrorCode:]))
	}
	size := int(order.Uint64(writer[writerSize:]))
	return bytes.Clone(bytesAt(uintptr(order.Uint64(writer[:])), size)), nil
}
