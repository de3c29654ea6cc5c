//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Where fields of struct WebPConfig and struct WebPPicture are.
const (
	configLossless     = 0
	configMethod       = 8
	configNearLossless = 92
	configSharpYUV     = 104

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

// Encode encodes planes of YCbCr in the limited range with half the resolution of colour, without alpha. They can be
// neither lossless nor sharp, as their colour is coarse already.
func (w *WebP) Encode(p *picture.Picture, opt WebPOptions) ([]byte, error) {
	y, u, v := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	return w.encode(p.Width(), p.Height(), opt, func(frame *[512]byte) bool {
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
func (w *WebP) EncodeRGBA(pix []byte, stride, width, height int, opt WebPOptions) ([]byte, error) {
	return w.encode(width, height, opt, func(frame *[512]byte) bool {
		if opt.Lossless || opt.SharpYUV { // else the import makes planes of them at once
			binary.NativeEndian.PutUint32(frame[pictureUseARGB:], 1)
		}
		ok, _ := w.f.call("WebPPictureImportRGBA", uintptr(unsafe.Pointer(frame)), uintptr(unsafe.Pointer(&pix[0])),
			uintptr(stride))
		return int32(ok) != 0
	}, pix)
}

// encode encodes what fill puts into a struct WebPPicture. pinned is memory whose addresses fill puts there.
func (w *WebP) encode(width, height int, opt WebPOptions, fill func(*[512]byte) bool, pinned ...[]byte) ([]byte,
	error) {
	order := binary.NativeEndian
	config, frame, writer := new([512]byte), new([512]byte), new([64]byte)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(writer)
	for _, p := range pinned {
		pin.Pin(&p[0])
	}
	if w.config(unsafe.Pointer(config), 0, float32(opt.Quality), encoderABI) == 0 {
		return nil, errors.New("libwebp refuses the quality")
	}
	if opt.Lossless {
		order.PutUint32(config[configLossless:], 1)
		order.PutUint32(config[configNearLossless:], uint32(100-opt.Loss))
	}
	if opt.SharpYUV {
		order.PutUint32(config[configSharpYUV:], 1)
	}
	order.PutUint32(config[configMethod:], uint32(opt.Method))
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
