// Package codec lists what decodes and encodes each image format in this process, with versions. The list tells
// apart builds and machines: the same program is several times as fast where C libraries are installed.
package codec

import (
	"runtime/debug"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/format"
)

// Codec is what reads and writes one format.
type Codec struct {
	Format string `json:"format"`
	Reads  string `json:"reads"`            // names and versions; empty: nothing
	Writes string `json:"writes,omitempty"` // empty: nothing
}

// Absent is a C library that the process does not use, and why.
type Absent struct {
	Library string `json:"library"`
	Why     string `json:"why"`
}

// List is the codecs of a process.
type List struct {
	Codecs []Codec  `json:"codecs"`
	Absent []Absent `json:"absent,omitempty"`
}

// Of returns the codecs of this process, in the order of the formats. It loads the libraries that this process may use.
func Of() List {
	const own, std, sandboxed = "imagefarm", "the standard library", " in WebAssembly"
	var list List
	webpWrites := own + "; lossless or with alpha: libwebp 1.6.0" + sandboxed
	if lib, err := native.LibWebP(); err == nil {
		webpWrites = "libwebp " + lib.Version
	} else {
		list.Absent = append(list.Absent, Absent{"libwebp", err.Error()})
	}
	rare := "libheif 1.18.2, libde265 1.0.15" + sandboxed
	av1 := "libavif 1.1.1, libaom 3.10.0" + sandboxed
	av1Out := av1
	if lib, err := native.LibHEIF(); err == nil {
		name := "libheif " + lib.Version
		if lib.DecodesHEVC {
			rare = name
		}
		if lib.EncodesAV1 {
			av1Out = name + ", " + lib.AV1Encoder
		}
	} else {
		list.Absent = append(list.Absent, Absent{"libheif", err.Error()})
	}
	if lib, err := native.LibDav1d(); err == nil {
		av1 = "libdav1d " + lib.Version
	} else {
		list.Absent = append(list.Absent, Absent{"libdav1d", err.Error()})
	}
	jxl := ""
	if lib, err := native.LibJXL(); err == nil {
		jxl = "libjxl " + lib.Version
	} else {
		list.Absent = append(list.Absent, Absent{"libjxl", err.Error()})
	}
	for _, f := range format.All() {
		c := Codec{Format: f.Name}
		switch f.Name {
		case format.JPEG:
			c.Reads, c.Writes = own, own+"; adaptive: "+module("github.com/gen2brain/jpegn")
		case format.PNG, format.TIFF:
			c.Reads, c.Writes = own, own
		case format.GIF:
			c.Reads, c.Writes = own, std
		case format.WebP:
			c.Reads, c.Writes = own, webpWrites
		case format.BMP, format.RAW:
			c.Reads = own
		case format.JXL:
			c.Reads = jxl
		case format.HEIC:
			c.Reads = own + "; rare profiles: " + rare
		case format.AVIF:
			c.Reads, c.Writes = av1, av1Out
		}
		list.Codecs = append(list.Codecs, c)
	}
	return list
}

// module returns a module's name and the version that is linked into this program.
func module(path string) string {
	name := path[strings.Index(path, "/")+1:]
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return name + " " + m.Version
		}
	}
	return name
}
