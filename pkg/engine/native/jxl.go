//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// JXL is libjxl. It is safe for use by several goroutines.
type JXL struct {
	Version string

	f      functions
	number int // of the version: 7002 is 0.7.2
}

// LoadJXL loads libjxl, whatever the environment says.
func LoadJXL() (*JXL, error) {
	f, err := load([]string{"libjxl.so.0.11", "libjxl.so.0.10", "libjxl.so.0.9", "libjxl.so.0.8", "libjxl.so.0.7",
		"libjxl.0.11.dylib", "/opt/homebrew/lib/libjxl.dylib", "/usr/local/lib/libjxl.dylib"},
		"JxlDecoderVersion", "JxlDecoderCreate", "JxlDecoderDestroy", "JxlDecoderSubscribeEvents",
		"JxlDecoderSetKeepOrientation", "JxlDecoderSetUnpremultiplyAlpha", "JxlDecoderSetInput",
		"JxlDecoderProcessInput", "JxlDecoderGetBasicInfo", "JxlDecoderGetColorAsEncodedProfile",
		"JxlDecoderGetICCProfileSize", "JxlDecoderGetColorAsICCProfile", "JxlDecoderSetPreferredColorProfile",
		"JxlColorEncodingSetToSRGB", "JxlDecoderImageOutBufferSize", "JxlDecoderSetImageOutBuffer")
	if err != nil {
		return nil, fmt.Errorf("libjxl: %w", err)
	}
	version, _ := f.call("JxlDecoderVersion")
	n := int(uint32(version))
	return &JXL{Version: fmt.Sprintf("%d.%d.%d", n/1_000_000, n/1000%1000, n%1000), f: f, number: n}, nil
}

// Results of JxlDecoderProcessInput.
const (
	jxlSuccess   = 0
	jxlNeedInput = 2
	jxlNeedImage = 5
	jxlBasicInfo = 0x40
	jxlColors    = 0x100
	jxlFrame     = 0x400
	jxlFullImage = 0x1000
)

// Where fields of struct JxlBasicInfo and JxlColorEncoding are.
const (
	jxlWidth       = 4
	jxlHeight      = 8
	jxlAnimated    = 44
	jxlOrientation = 48
	jxlChannels    = 52
	jxlAlphaBits   = 60

	jxlTransfer = 80
)

// jxlDecoder decodes one file.
type jxlDecoder struct {
	*JXL
	p   uintptr
	pin runtime.Pinner
}

// open begins to decode a file, of which it reports events.
func (j *JXL) open(data []byte, events uintptr) (*jxlDecoder, error) {
	if len(data) == 0 {
		return nil, ErrJXLCut
	}
	p, _ := j.f.call("JxlDecoderCreate", 0)
	if p == 0 {
		return nil, errors.New("libjxl has no memory for a decoder")
	}
	d := &jxlDecoder{JXL: j, p: p}
	from := pinned(d, &data[0])
	for _, step := range []func() uintptr{
		func() uintptr { return d.call("JxlDecoderSubscribeEvents", events) },
		func() uintptr { return d.call("JxlDecoderSetKeepOrientation", 1) },
		func() uintptr { return d.call("JxlDecoderSetUnpremultiplyAlpha", 1) },
		func() uintptr {
			return d.call("JxlDecoderSetInput", from, uintptr(len(data)))
		},
	} {
		if step() != jxlSuccess {
			d.close()
			return nil, ErrJXLDamaged
		}
	}
	return d, nil // the input stays open: so a file that was cut is told from a damaged one
}

func (d *jxlDecoder) close() {
	d.f.call("JxlDecoderDestroy", d.p)
	d.pin.Unpin()
}

// pinned returns the address of what p points to, which stays there until the decoder is closed.
func pinned[T any](d *jxlDecoder, p *T) uintptr {
	d.pin.Pin(p)
	return uintptr(unsafe.Pointer(p))
}

// call calls a function of the decoder, whose pointers are pinned.
func (d *jxlDecoder) call(name string, args ...uintptr) uintptr {
	status, _ := d.f.call(name, append([]uintptr{d.p}, args...)...)
	return uintptr(uint32(status))
}

// next goes on to an event.
func (d *jxlDecoder) next(event uintptr) error {
	switch status := d.call("JxlDecoderProcessInput"); status {
	case event:
		return nil
	case jxlNeedInput:
		return ErrJXLCut
	}
	return ErrJXLDamaged
}

// ask returns the arguments of a function about colours. Those before 0.9 have a pixel format among them.
func (d *jxlDecoder) ask(args ...uintptr) []uintptr {
	if d.number < 9000 {
		args = append([]uintptr{0}, args...)
	}
	return args
}

// header reads up to the colours.
func (d *jxlDecoder) header() (JXLHeader, error) {
	order := binary.NativeEndian
	if err := d.next(jxlBasicInfo); err != nil {
		return JXLHeader{}, err
	}
	info := new([512]byte)
	if d.call("JxlDecoderGetBasicInfo", pinned(d, info)) != jxlSuccess {
		return JXLHeader{}, ErrJXLDamaged
	}
	h := JXLHeader{
		Width: int(order.Uint32(info[jxlWidth:])), Height: int(order.Uint32(info[jxlHeight:])),
		Orientation: int(order.Uint32(info[jxlOrientation:])), Animated: order.Uint32(info[jxlAnimated:]) != 0,
		Gray: order.Uint32(info[jxlChannels:]) == 1, Alpha: order.Uint32(info[jxlAlphaBits:]) > 0,
	}
	if err := d.next(jxlColors); err != nil {
		return JXLHeader{}, err
	}
	if err := d.tame(); err != nil {
		return JXLHeader{}, err
	}
	const ofPixels = 1
	size := new(uint64)
	if d.call("JxlDecoderGetICCProfileSize", d.ask(ofPixels, pinned(d, size))...) != jxlSuccess ||
		*size == 0 || *size > 16<<20 {
		return h, nil
	}
	h.ICC = make([]byte, *size)
	into := d.ask(ofPixels, pinned(d, &h.ICC[0]), uintptr(*size))
	if d.call("JxlDecoderGetColorAsICCProfile", into...) != jxlSuccess {
		h.ICC = nil
	}
	return h, nil
}

// tame asks for sRGB in place of a transfer curve of high dynamic range. libjxl converts what is coded with loss.
func (d *jxlDecoder) tame() error {
	const ofPixels, pq, hlg = 1, 16, 18
	colors := new([256]byte)
	at := pinned(d, colors)
	if d.call("JxlDecoderGetColorAsEncodedProfile", d.ask(ofPixels, at)...) != jxlSuccess {
		return nil // the profile says it
	}
	if curve := binary.NativeEndian.Uint32(colors[jxlTransfer:]); curve != pq && curve != hlg {
		return nil
	}
	srgb := new([256]byte)
	d.f.call("JxlColorEncodingSetToSRGB", pinned(d, srgb), 0)
	d.call("JxlDecoderSetPreferredColorProfile", pinned(d, srgb))
	clear(colors[:])
	if d.call("JxlDecoderGetColorAsEncodedProfile", d.ask(ofPixels, at)...) != jxlSuccess {
		return ErrJXLCurve
	}
	if curve := binary.NativeEndian.Uint32(colors[jxlTransfer:]); curve == pq || curve == hlg {
		return ErrJXLCurve
	}
	return nil
}

// maxJXLFrames bounds how many frames of an animation are counted.
const maxJXLFrames = 10_000

// Header reads what a file says before its pixels, and counts the frames of an animation, without decoding them. The
// error is ErrJXLCut, ErrJXLDamaged or ErrJXLCurve.
func (j *JXL) Header(data []byte) (JXLHeader, error) {
	d, err := j.open(data, jxlBasicInfo|jxlColors|jxlFrame)
	if err != nil {
		return JXLHeader{}, err
	}
	defer d.close()
	h, err := d.header()
	h.Frames = 1
	if err == nil && h.Animated {
		frames := 0
		for frames < maxJXLFrames && d.next(jxlFrame) == nil { // what is behind a cut is not there
			frames++
		}
		h.Frames = max(frames, 1)
	}
	return h, err
}

// Decode decodes a frame of an animation, from 0, or the only picture of a file, as it is stored, to samples of 8 bits.
// It refuses a picture of more than so many pixels. The error is that of Header.
func (j *JXL) Decode(data []byte, frame int, maxPixels int64) (*picture.Picture, error) {
	d, err := j.open(data, jxlBasicInfo|jxlColors|jxlFullImage)
	if err != nil {
		return nil, err
	}
	defer d.close()
	h, err := d.header()
	if err != nil {
		return nil, err
	}
	if h.Width < 1 || h.Height < 1 || int64(h.Width)*int64(h.Height) > maxPixels {
		return nil, fmt.Errorf("libjxl: %d×%d pixels, more than %d", h.Width, h.Height, maxPixels)
	}
	channels := 3
	if h.Gray {
		channels = 1
	}
	if h.Alpha {
		channels++
	}
	const eightBits = 2
	format := new([24]byte)
	binary.NativeEndian.PutUint32(format[0:], uint32(channels))
	binary.NativeEndian.PutUint32(format[4:], eightBits)
	size, at := new(uint64), pinned(d, format)
	if err := d.next(jxlNeedImage); err != nil {
		return nil, err
	}
	if d.call("JxlDecoderImageOutBufferSize", at, pinned(d, size)) != jxlSuccess ||
		*size != uint64(h.Width)*uint64(h.Height)*uint64(channels) {
		return nil, ErrJXLDamaged
	}
	pix := make([]byte, *size)
	// All frames before it are decoded, since it may be drawn upon them.
	for to := pinned(d, &pix[0]); ; frame-- {
		if d.call("JxlDecoderSetImageOutBuffer", at, to, uintptr(*size)) != jxlSuccess {
			return nil, ErrJXLDamaged
		}
		if err := d.next(jxlFullImage); err != nil {
			return nil, err
		}
		if frame == 0 {
			break
		}
		if err := d.next(jxlNeedImage); err != nil {
			return nil, err
		}
	}
	return planesOf(pix, channels, h.Width, h.Height), nil
}

// planesOf returns interleaved samples, with alpha last where the number of channels is even, as planes.
func planesOf(pix []byte, channels, w, h int) *picture.Picture {
	p := &picture.Picture{}
	if channels > 2 {
		p.Model = picture.RGB
	}
	for c := range channels {
		plane := picture.Whole(make([]byte, w*h), w, h)
		for i := range plane.Pix {
			plane.Pix[i] = pix[i*channels+c]
		}
		if c == channels-1 && channels%2 == 0 {
			p.Alpha = &plane
		} else {
			p.Planes = append(p.Planes, plane)
		}
	}
	return p
}
