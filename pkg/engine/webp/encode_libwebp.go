//go:build libwebp

package webp

/*
#cgo LDFLAGS: -l:libwebp.a -lm -lpthread
#include <stdlib.h>
#include <webp/encode.h>

// encode returns the encoded size, or 0; *out is freed with WebPFree.
static size_t encode(const uint8_t *pix, int width, int height, int stride, float quality, uint8_t **out) {
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
	int ok = WebPPictureImportRGBA(&picture, pix, stride) && WebPEncode(&config, &picture);
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
	var out *C.uint8_t
	n := C.encode((*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(img.Pix))), C.int(size.X), C.int(size.Y),
		C.int(img.Stride), C.float(quality), &out)
	if n == 0 {
		return nil, errors.New("webp: libwebp refused the picture")
	}
	defer C.WebPFree(unsafe.Pointer(out))
	return C.GoBytes(unsafe.Pointer(out), C.int(n)), nil
}
