//go:build libwebp

package webp

/*
#cgo LDFLAGS: -l:libwebp.a -lm -lpthread
#include <stdlib.h>
#include <webp/encode.h>

// encode returns the encoded size, or 0; *out is freed with WebPFree. pix is RGBA, or luma when there are u and v.
static size_t encode(const uint8_t *pix, const uint8_t *u, const uint8_t *v, int width, int height, int stride,
		int uv_stride, float quality, uint8_t **out) {
	WebPConfig config;
	WebPPicture picture;
	WebPMemoryWriter writer;
	if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) return 0;
	config.quality = quality;
	config.method = 4;
	picture.width = width;
	picture.height = height;
	WebPMemoryWriterInit(&writer);
	picture.writer = WebPMemoryWrite;
	picture.custom_ptr = &writer;
	int ok = 1;
	if (u) { // the encoder reads planes that are not its own, and does not free them
		picture.y = (uint8_t *)pix;
		picture.u = (uint8_t *)u;
		picture.v = (uint8_t *)v;
		picture.y_stride = stride;
		picture.uv_stride = uv_stride;
	} else {
		ok = WebPPictureImportRGBA(&picture, pix, stride);
	}
	ok = ok && WebPEncode(&config, &picture);
	WebPPictureFree(&picture);
	if (!ok) {
		WebPMemoryWriterClear(&writer);
		return 0;
	}
	*out = writer.mem;
	return writer.size;
}
*/
import "C"

import (
	"errors"
	"image"
	"unsafe"
)

// Encoder names what encodes in this build.
const Encoder = "libwebp"

// Encode encodes a still, lossy with a lossless alpha plane where anything is transparent.
func Encode(img *image.NRGBA, quality int) ([]byte, error) {
	size := img.Rect.Size()
	if size.X < 1 || size.Y < 1 || len(img.Pix) < (size.Y-1)*img.Stride+4*size.X {
		return nil, errors.New("webp: no picture to encode")
	}
	return written(func(out **C.uint8_t) C.size_t {
		return C.encode(pointer(img.Pix), nil, nil, C.int(size.X), C.int(size.Y), C.int(img.Stride), 0, C.float(quality), out)
	})
}

// EncodePlanes encodes luma and colour as they are, half the width and height of luma for colour (rounded up), in the
// studio range that lossy WebP stores.
func EncodePlanes(img *image.YCbCr, quality int) ([]byte, error) {
	if err := checkPlanes(img); err != nil {
		return nil, err
	}
	size := img.Rect.Size()
	return written(func(out **C.uint8_t) C.size_t {
		return C.encode(pointer(img.Y), pointer(img.Cb), pointer(img.Cr), C.int(size.X), C.int(size.Y),
			C.int(img.YStride), C.int(img.CStride), C.float(quality), out)
	})
}

func pointer(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

// written returns what encode wrote, copied to Go's memory.
func written(encode func(out **C.uint8_t) C.size_t) ([]byte, error) {
	var out *C.uint8_t
	n := encode(&out)
	if n == 0 {
		return nil, errors.New("webp: libwebp refused the picture")
	}
	defer C.WebPFree(unsafe.Pointer(out))
	return C.GoBytes(unsafe.Pointer(out), C.int(n)), nil
}
