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
	decoderOutput       = 40
	decoderUseScaling   = 188
	decoderScaledWidth  = 192
	decoderScaledHeight = 196

	outputColorspace  = 0
	outputWidth       = 4
	outputHeight      = 8
	outputSamples     = 16 // of RGBA or luma, then of both colours
	outputStride      = 24 // of RGBA
	outputLumaStride  = 48
	outputColorStride = 52

	modeRGBA = 1
	modeYUV  = 11
)

// decoderABI is the version of libwebp's structs for decoding that this package knows.
const decoderABI = 0x209

// Decode decodes a still of any size, scaled to width×height pixels: the planes of a lossy one in the limited range,
// or RGB and alpha where rgb asks for that or the coding is lossless.
func (w *WebP) Decode(data []byte, rgb bool, width, height int) (*picture.Picture, error) {
	if len(data) == 0 {
		return nil, errors.New("libwebp: no bytes")
	}
	order := binary.NativeEndian
	config := new([512]byte)
	if ok, _ := w.f.call("WebPInitDecoderConfigInternal", uintptr(unsafe.Pointer(config)), decoderABI); int32(ok) == 0 {
		return nil, errors.New("libwebp has other structs than this program knows")
	}
	out := config[decoderOutput:]
	mode := uint32(modeYUV)
	if rgb {
		mode = modeRGBA
	}
	order.PutUint32(out[outputColorspace:], mode)
	order.PutUint32(config[decoderUseScaling:], 1)
	order.PutUint32(config[decoderScaledWidth:], uint32(width))
	order.PutUint32(config[decoderScaledHeight:], uint32(height))
	status, _ := w.f.call("WebPDecode", uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)),
		uintptr(unsafe.Pointer(config)))
	defer w.f.call("WebPFreeDecBuffer", uintptr(unsafe.Pointer(&out[0])))
	gotW, gotH := int(order.Uint32(out[outputWidth:])), int(order.Uint32(out[outputHeight:]))
	if int32(status) != 0 || gotW != width || gotH != height {
		return nil, fmt.Errorf("libwebp cannot decode it: status %d", int32(status))
	}
	samples := func(i int) uintptr { return uintptr(order.Uint64(out[outputSamples+8*i:])) }
	if rgb {
		stride := int(order.Uint32(out[outputStride:]))
		return separate(bytesAt(samples(0), (height-1)*stride+4*width), stride, width, height), nil
	}
	p := &picture.Picture{Model: picture.YCbCr, Limited: true}
	p.Planes = append(p.Planes, copied(samples(0), int(order.Uint32(out[outputLumaStride:])), width, height, 1))
	for i := 1; i < 3; i++ {
		p.Planes = append(p.Planes, copied(samples(i), int(order.Uint32(out[outputColorStride:])), width, height, 2))
	}
	return p, nil
}

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
func separate(pix []byte, stride, w, h int) *picture.Picture {
	p := &picture.Picture{Model: picture.RGB}
	for c := range 4 {
		plane := picture.Whole(make([]byte, w*h), w, h)
		for y := range h {
			row := pix[y*stride:][:4*w]
			for x := range w {
				plane.Pix[y*w+x] = row[4*x+c]
			}
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

// Encode encodes planes of YCbCr in the limited range with half the resolution of colour, without alpha. quality is
// 1 to 100, method 0 (fast) to 6.
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
		ok, _ := w.f.call("WebPPictureImportRGBA", uintptr(unsafe.Pointer(frame)), uintptr(unsafe.Pointer(&pix[0])),
			uintptr(stride))
		return int32(ok) != 0
	}, pix)
}

// encode encodes what fill puts into a struct WebPPicture. pinned is memory whose addresses fill puts there.
func (w *WebP) encode(width, height, quality, method int, fill func(*[512]byte) bool, pinned ...[]byte) ([]byte,
	error) {
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
