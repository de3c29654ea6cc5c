//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"unsafe"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// HEIF is libheif. It is safe for use by several goroutines.
type HEIF struct {
	Version                 string
	DecodesHEVC, EncodesAV1 bool
	AV1Encoder              string // its name and version

	f      functions
	mu     sync.Mutex // held while a file is written
	out    []byte     // what is written of it
	writer [2]uintptr // struct heif_writer: version, function
}

// LoadHEIF loads libheif, whatever the environment says.
func LoadHEIF() (*HEIF, error) {
	f, err := load([]string{"libheif.so.1", "libheif.1.dylib", "/opt/homebrew/lib/libheif.1.dylib",
		"/usr/local/lib/libheif.1.dylib"},
		"heif_get_version", "heif_have_decoder_for_format", "heif_have_encoder_for_format", "heif_context_alloc",
		"heif_context_free", "heif_context_read_from_memory_without_copy", "heif_context_get_primary_image_handle",
		"heif_image_handle_release", "heif_decoding_options_alloc", "heif_decoding_options_free", "heif_decode_image",
		"heif_image_get_colorspace", "heif_image_get_chroma_format", "heif_image_get_width", "heif_image_get_height",
		"heif_image_get_bits_per_pixel_range", "heif_image_get_plane_readonly", "heif_image_release",
		"heif_context_get_encoder_for_format", "heif_encoder_release", "heif_encoder_set_lossy_quality",
		"heif_encoder_set_parameter", "heif_image_create", "heif_image_add_plane", "heif_image_get_plane",
		"heif_image_set_nclx_color_profile", "heif_nclx_color_profile_alloc", "heif_nclx_color_profile_free",
		"heif_context_encode_image", "heif_context_write", "heif_encoder_get_name")
	if err != nil {
		return nil, fmt.Errorf("libheif: %w", err)
	}
	h := &HEIF{f: f}
	version, _ := f.call("heif_get_version")
	h.Version = textAt(version)
	has := func(name string, format uintptr) bool {
		yes, _ := f.call(name, format)
		return int32(yes) != 0
	}
	h.DecodesHEVC = has("heif_have_decoder_for_format", formatHEVC)
	h.EncodesAV1 = has("heif_have_encoder_for_format", formatAV1)
	if h.EncodesAV1 {
		h.AV1Encoder = h.encoderName()
	}
	h.writer = [2]uintptr{1, callback(h.write)}
	return h, nil
}

// encoderName returns how the encoder of AV1 calls itself.
func (h *HEIF) encoderName() string {
	context, _ := h.f.call("heif_context_alloc")
	defer h.f.call("heif_context_free", context)
	var encoder uintptr
	if err := h.try("heif_context_get_encoder_for_format", context, formatAV1,
		uintptr(unsafe.Pointer(&encoder))); err != nil {
		return err.Error()
	}
	defer h.f.call("heif_encoder_release", encoder)
	name, _ := h.f.call("heif_encoder_get_name", encoder)
	return textAt(name)
}

// Numbers of libheif.
const (
	formatHEVC = 1
	formatAV1  = 4

	spaceYCbCr = 0
	spaceRGB   = 1
	spaceGray  = 2

	chroma420 = 1
	chroma422 = 2
	chroma444 = 3

	channelY     = 0
	channelR     = 3
	channelAlpha = 6
)

// try calls a function that returns a struct heif_error. It comes in two words: code and subcode, and a text.
//
//go:uintptrescapes
func (h *HEIF) try(name string, args ...uintptr) error {
	codes, text := h.f.call(name, args...)
	if int32(codes) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", name, textAt(text))
}

// Decode decodes the primary picture of a file of HEVC: its planes as they are coded, without turning or cropping it. A
// wrong sampling makes libheif convert them.
func (h *HEIF) Decode(file []byte, s Sampling) (*picture.Picture, error) {
	if len(file) == 0 {
		return nil, errors.New("libheif: no bytes")
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&file[0])
	context, _ := h.f.call("heif_context_alloc")
	defer h.f.call("heif_context_free", context)
	if err := h.try("heif_context_read_from_memory_without_copy", context, uintptr(unsafe.Pointer(&file[0])),
		uintptr(len(file)), 0); err != nil {
		return nil, err
	}
	var handle, img uintptr
	if err := h.try("heif_context_get_primary_image_handle", context, uintptr(unsafe.Pointer(&handle))); err != nil {
		return nil, err
	}
	defer h.f.call("heif_image_handle_release", handle)
	space := uintptr(spaceYCbCr)
	if s == SamplingGray {
		space = spaceGray
	}
	options, _ := h.f.call("heif_decoding_options_alloc")
	defer h.f.call("heif_decoding_options_free", options)
	bytesAt(options, 2)[1] = 1 // ignore_transformations
	if err := h.try("heif_decode_image", handle, uintptr(unsafe.Pointer(&img)), space, uintptr(s), options); err != nil {
		return nil, err
	}
	defer h.f.call("heif_image_release", img)
	runtime.KeepAlive(file)
	return h.copyPlanes(img)
}

// copyPlanes copies the planes of a decoded picture, as samples of 8 bits.
func (h *HEIF) copyPlanes(img uintptr) (*picture.Picture, error) {
	space, _ := h.f.call("heif_image_get_colorspace", img)
	p := &picture.Picture{}
	var channels []uintptr
	switch int32(space) {
	case spaceYCbCr:
		p.Model, channels = picture.YCbCr, []uintptr{channelY, channelY + 1, channelY + 2}
	case spaceGray:
		p.Model, channels = picture.Gray, []uintptr{channelY}
	case spaceRGB:
		p.Model, channels = picture.RGB, []uintptr{channelR, channelR + 1, channelR + 2}
	default:
		return nil, fmt.Errorf("libheif yields colour space %d", int32(space))
	}
	for i, channel := range channels {
		plane, err := h.copyPlane(img, channel)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			y := p.Planes[0]
			plane.Across.Length, plane.Down.Length = spanOf(y.Width, plane.Width), spanOf(y.Height, plane.Height)
		}
		p.Planes = append(p.Planes, plane)
	}
	return p, nil
}

// spanOf returns how many of the samples n pixels span: half as many as pixels where there are fewer samples.
func spanOf(pixels, samples int) float64 {
	if samples < pixels {
		return float64(pixels) / 2
	}
	return float64(pixels)
}

func (h *HEIF) copyPlane(img, channel uintptr) (picture.Plane, error) {
	number := func(name string) int {
		n, _ := h.f.call(name, img, channel)
		return int(int32(n))
	}
	w, height := number("heif_image_get_width"), number("heif_image_get_height")
	depth := number("heif_image_get_bits_per_pixel_range")
	var stride int32
	from, _ := h.f.call("heif_image_get_plane_readonly", img, channel, uintptr(unsafe.Pointer(&stride)))
	if w < 1 || height < 1 || depth < 8 || depth > 16 || from == 0 {
		return picture.Plane{}, fmt.Errorf("libheif yields a plane of %d×%d samples of %d bits", w, height, depth)
	}
	out := picture.Whole(make([]byte, w*height), w, height)
	size := w
	if depth > 8 {
		size = 2 * w
	}
	copySamples(out.Pix, bytesAt(from, (height-1)*int(stride)+size), int(stride), w, depth)
	return out, nil
}

// copySamples copies rows of w samples of so many bits, of two bytes where they have more than 8, as samples of 8 bits.
func copySamples(dst, src []byte, stride, w, depth int) {
	for y := 0; (y+1)*w <= len(dst); y++ {
		row := src[y*stride:]
		if depth == 8 {
			copy(dst[y*w:][:w], row)
			continue
		}
		for x := range w {
			dst[y*w+x] = byte(binary.NativeEndian.Uint16(row[2*x:]) >> (depth - 8))
		}
	}
}

// EncodeAVIF encodes a picture of YCbCr in the full range of BT.601, and its alpha. Its planes of colour say at which
// resolution. quality is 1 to 100, speed 0 (slow and small) to 9.
func (h *HEIF) EncodeAVIF(p *picture.Picture, quality, speed int) ([]byte, error) {
	context, _ := h.f.call("heif_context_alloc")
	defer h.f.call("heif_context_free", context)
	var encoder, img uintptr
	if err := h.try("heif_context_get_encoder_for_format", context, formatAV1,
		uintptr(unsafe.Pointer(&encoder))); err != nil {
		return nil, err
	}
	defer h.f.call("heif_encoder_release", encoder)
	if err := h.try("heif_encoder_set_lossy_quality", encoder, uintptr(quality)); err != nil {
		return nil, err
	}
	chroma, sampling := chroma444, "444"
	if c := &p.Planes[1]; c.Height < p.Height() {
		chroma, sampling = chroma420, "420"
	} else if c.Width < p.Width() {
		chroma, sampling = chroma422, "422"
	}
	for name, value := range map[string]string{"speed": strconv.Itoa(speed), "threads": "1", "chroma": sampling} {
		n, v := append([]byte(name), 0), append([]byte(value), 0)
		if err := h.try("heif_encoder_set_parameter", encoder, uintptr(unsafe.Pointer(&n[0])),
			uintptr(unsafe.Pointer(&v[0]))); err != nil {
			return nil, err
		}
	}
	w, height := uintptr(p.Width()), uintptr(p.Height())
	if err := h.try("heif_image_create", w, height, spaceYCbCr, uintptr(chroma),
		uintptr(unsafe.Pointer(&img))); err != nil {
		return nil, err
	}
	defer h.f.call("heif_image_release", img)
	for i := range p.Planes {
		if err := h.writePlane(img, channelY+uintptr(i), &p.Planes[i]); err != nil {
			return nil, err
		}
	}
	if p.Alpha != nil {
		if err := h.writePlane(img, channelAlpha, p.Alpha); err != nil {
			return nil, err
		}
	}
	colors, _ := h.f.call("heif_nclx_color_profile_alloc")
	defer h.f.call("heif_nclx_color_profile_free", colors)
	for i, n := range []uint32{1, 13, 6} { // the primaries and the curve of sRGB, the matrix of BT.601
		binary.NativeEndian.PutUint32(bytesAt(colors, 20)[4+4*i:], n)
	}
	bytesAt(colors, 20)[16] = 1 // the full range
	if err := h.try("heif_image_set_nclx_color_profile", img, colors); err != nil {
		return nil, err
	}
	var handle uintptr
	if err := h.try("heif_context_encode_image", context, img, encoder, 0, uintptr(unsafe.Pointer(&handle))); err != nil {
		return nil, err
	}
	defer h.f.call("heif_image_handle_release", handle)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out = nil
	if err := h.try("heif_context_write", context, uintptr(unsafe.Pointer(&h.writer)), 0); err != nil {
		return nil, err
	}
	return h.out, nil
}

// write is called by heif_context_write with the whole file. Its result is the first word of a struct heif_error.
func (h *HEIF) write(_, data, size, _ uintptr) uintptr {
	h.out = bytes.Clone(bytesAt(data, int(size)))
	return 0
}

func (h *HEIF) writePlane(img, channel uintptr, p *picture.Plane) error {
	if err := h.try("heif_image_add_plane", img, channel, uintptr(p.Width), uintptr(p.Height), 8); err != nil {
		return err
	}
	var stride int32
	to, _ := h.f.call("heif_image_get_plane", img, channel, uintptr(unsafe.Pointer(&stride)))
	if to == 0 {
		return errors.New("libheif has no memory for a plane")
	}
	pix := bytesAt(to, (p.Height-1)*int(stride)+p.Width)
	for y := range p.Height {
		copy(pix[y*int(stride):][:p.Width], p.Pix[y*p.Stride:])
	}
	return nil
}
