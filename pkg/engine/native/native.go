// Package native calls codecs of shared C libraries that are installed: libdav1d and libheif for AVIF, libwebp for
// WebP, libjxl for JPEG XL. They are found while the program runs, without cgo. Most are several times as fast as the
// codecs that this program brings along; JPEG XL is not read without its library.
//
// A fault in a C library can end the process or damage its memory. So the libraries are loaded only in processes whose
// environment says so (see Env): the children that package isolate starts.
package native

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// Env names the environment variable that lets a process load the libraries. Its values are Native and Portable;
// where it is not set, no library is loaded.
const (
	Env      = "IMAGEFARM_CODECS"
	Native   = "native"
	Portable = "portable"
)

// errPortable says that the user wants no libraries.
var errPortable = errors.New(Env + " is " + Portable)

// errNotAllowed says that this process is not to load libraries.
var errNotAllowed = errors.New("shared libraries are used in child processes only; " + Env + "=" + Native +
	" allows them here")

// LibDav1d returns the process's libdav1d, which is loaded when it is first asked for. The error says why there is
// none.
var LibDav1d = once(LoadDav1d)

// LibHEIF returns the process's libheif, which is loaded when it is first asked for. The error says why there is none.
var LibHEIF = once(LoadHEIF)

// LibWebP returns the process's libwebp, which is loaded when it is first asked for. The error says why there is none.
var LibWebP = once(LoadWebP)

// LibJXL returns the process's libjxl, which is loaded when it is first asked for. The error says why there is none.
var LibJXL = once(LoadJXL)

// once returns a function that loads a library when it is first called, if this process may.
func once[T any](load func() (*T, error)) func() (*T, error) {
	return sync.OnceValues(func() (*T, error) {
		if err := allowed(); err != nil {
			return nil, err
		}
		return load()
	})
}

// allowed returns why this process is not to load libraries, or nil.
func allowed() error {
	switch os.Getenv(Env) {
	case Native:
		return nil
	case Portable:
		return errPortable
	}
	return errNotAllowed
}

// functions are the addresses of a library's functions.
type functions map[string]uintptr

// load opens the first library of a list of file names that can be opened, and finds functions in it.
func load(files []string, names ...string) (functions, error) {
	var failed []error
	for _, file := range files {
		library, err := open(file)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		f := make(functions)
		for _, name := range names {
			if f[name], err = symbol(library, name); err != nil {
				return nil, fmt.Errorf("%s has no %s: it is too old", file, name)
			}
		}
		return f, nil
	}
	return nil, errors.Join(failed...)
}

// Sampling is how a picture is coded, in the numbers of HEVC: gray, or with colours of a quarter, half or all of the
// samples.
type Sampling int

// The samplings.
const (
	SamplingGray Sampling = iota
	Sampling420
	Sampling422
	Sampling444
)

// WebPOptions tell libwebp how to encode.
type WebPOptions struct {
	Quality  int // 1 to 100; of a lossless picture, how hard to try
	Method   int // 0 (fast) to 6 (small)
	Lossless bool
	Loss     int  // of a lossless picture: 0 (none) to 100, how much samples may be changed to take fewer bytes
	SharpYUV bool // choose samples of colour for sharp edges
}

// Dav1dOptions say what to decode.
type Dav1dOptions struct {
	MaxPixels      int64 // of a larger picture nothing is decoded
	OperatingPoint int   // of a picture in layers: which of them, 0 to 31
	Unfiltered     bool  // leave out the in-loop filters, on which the samples of no still picture depend
}
