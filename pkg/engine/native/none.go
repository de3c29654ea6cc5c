//go:build !((linux || darwin) && (amd64 || arm64)) || nodynamic

package native

import (
	"errors"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

var errNoLibraries = errors.New("this build loads no shared libraries")

func open(string) (uintptr, error)            { return 0, errNoLibraries }
func symbol(uintptr, string) (uintptr, error) { return 0, errNoLibraries }

// Dav1d is libdav1d, which this build does not load.
type Dav1d struct{ Version string }

// LoadDav1d returns an error.
func LoadDav1d() (*Dav1d, error) { return nil, errNoLibraries }

// Decode returns an error.
func (*Dav1d) Decode([]byte, Dav1dOptions) (*picture.Picture, error) { return nil, errNoLibraries }

// HEIF is libheif, which this build does not load.
type HEIF struct {
	Version                 string
	DecodesHEVC, EncodesAV1 bool
	AV1Encoder              string
}

// LoadHEIF returns an error.
func LoadHEIF() (*HEIF, error) { return nil, errNoLibraries }

// Decode returns an error.
func (*HEIF) Decode([]byte, Sampling) (*picture.Picture, error) { return nil, errNoLibraries }

// EncodeAVIF returns an error.
func (*HEIF) EncodeAVIF(*picture.Picture, int, int) ([]byte, error) { return nil, errNoLibraries }

// JXL is libjxl, which this build does not load.
type JXL struct{ Version string }

// LoadJXL returns an error.
func LoadJXL() (*JXL, error) { return nil, errNoLibraries }

// Header returns an error.
func (*JXL) Header([]byte) (JXLHeader, error) { return JXLHeader{}, errNoLibraries }

// Decode returns an error.
func (*JXL) Decode([]byte, int, int64) (*picture.Picture, error) { return nil, errNoLibraries }

// WebP is libwebp's encoder, which this build does not load.
type WebP struct{ Version string }

// LoadWebP returns an error.
func LoadWebP() (*WebP, error) { return nil, errNoLibraries }

// EncodeRGBA returns an error.
func (*WebP) EncodeRGBA([]byte, int, int, int, WebPOptions) ([]byte, error) {
	return nil, errNoLibraries
}

// Encode returns an error.
func (*WebP) Encode(*picture.Picture, WebPOptions) ([]byte, error) { return nil, errNoLibraries }
