package raw

import (
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// Tags that are read.
const (
	tagRW2Width    = 2
	tagRW2Height   = 3
	tagRW2Top      = 4 // then left, bottom, right
	tagRW2JPEG     = 46
	tagSubfile     = 254
	tagWidth       = 256
	tagHeight      = 257
	tagCompression = 259
	tagPhotometric = 262
	tagMake        = 271
	tagStrips      = 273
	tagOrientation = 274
	tagStripBytes  = 279
	tagSubIFDs     = 330
	tagJPEG        = 513
	tagJPEGBytes   = 514
	tagXMP         = 700
	tagIPTC        = 33723
	tagEXIF        = 34665
	tagICC         = 34675
	tagGPS         = 34853
	tagColorSpace  = 40961
	tagPixelWidth  = 40962
	tagPixelHeight = 40963
	tagInterop     = 40965
	tagMakerNote   = 37500
	tagDNGVersion  = 50706
	tagCropSize    = 50720
	tagPreviewRGB  = 50970
)

// Values of tags.
const (
	photometricRGB    = 2
	photometricYCbCr  = 6
	photometricCFA    = 32803
	photometricLinear = 34892

	adobeRGB        = 2 // of ColorSpace, as some cameras write it
	previewAdobeRGB = 3 // of PreviewColorSpace
)

// findTIFF walks the directories of a file that is built like TIFF. It reports whether this is a raw file.
func (f *finder) findTIFF() bool {
	if len(f.data) < 16 || string(f.data[2:4]) == "+\x00" || string(f.data[2:4]) == "\x00+" { // BigTIFF: no camera's
		return false
	}
	var err error
	if f.block, err = tiff.ReadBlock(f.data, versionORF, versionORS, versionRW2); err != nil {
		return false
	}
	f.raw = f.data[2] != 42 && f.data[3] != 42 || string(f.data[8:10]) == "CR"
	f.pages = !f.raw // the others keep the sensor's values in them
	f.seen = make(map[uint64]bool)
	first := f.directory(f.block.First)
	if first == nil {
		f.Cut = true
		return f.raw
	}
	subs := first.Ints(tagSubIFDs)
	f.raw = f.raw || first.Has(tagDNGVersion) || first.Int(tagSubfile, 0)&1 != 0 && len(subs) > 0
	if !f.raw && len(subs) == 0 {
		return false
	}
	f.about(first)
	f.subdirectories(subs)
	if !f.raw {
		return false
	}
	for at := f.block.Following(f.block.First); at != 0 && !f.seen[at]; at = f.block.Following(at) {
		d := f.directory(at)
		if d == nil {
			break
		}
		f.subdirectories(d.Ints(tagSubIFDs))
	}
	f.finishEXIF(f.block.Order(), first)
	return true
}

func (f *finder) subdirectories(list []int64) {
	for _, at := range list {
		if at > 0 {
			f.directory(uint64(at))
		}
	}
}

// directory takes the preview out of a directory, once, or the size of the sensor's picture.
func (f *finder) directory(at uint64) *tiff.Directory {
	if f.seen[at] || len(f.seen) == maxDirectories {
		return nil
	}
	f.seen[at] = true
	d, err := f.block.Directory(at)
	if err != nil {
		return nil
	}
	w, h := d.Int(tagWidth, 0), d.Int(tagHeight, 0)
	photometric := d.Int(tagPhotometric, -1)
	strips, lengths := d.Ints(tagStrips), d.Ints(tagStripBytes)
	f.jpeg(int64(d.Int(tagJPEG, 0)), int64(d.Int(tagJPEGBytes, 0)))
	if v := d.Value(tagRW2JPEG); f.data[2] == versionRW2 {
		f.jpeg(int64(v.At), int64(len(v.Bytes)))
		f.size(d.Int(tagRW2Width, 0), d.Int(tagRW2Height, 0))
		width := d.Int(tagRW2Top+3, 0) - d.Int(tagRW2Top+1, 0)
		height := d.Int(tagRW2Top+2, 0) - d.Int(tagRW2Top, 0)
		if width > 0 && height > 0 && width <= f.Width && height <= f.Height {
			f.Width, f.Height = width, height
		}
	}
	switch {
	case photometric == photometricCFA || photometric == photometricLinear:
		f.raw = true
		if crop := d.Value(tagCropSize); crop.Count == 2 {
			w, h = int(d.Float(tagCropSize, 0, 0)), int(d.Float(tagCropSize, 1, 0))
		}
	case (d.Int(tagCompression, 0) == 6 || d.Int(tagCompression, 0) == 7) && len(strips) == 1 && len(lengths) == 1:
		f.jpeg(strips[0], lengths[0])
		if photometric < 0 {
			return d // the size is that of a sensor's picture in CR2, but counted in another way
		}
	case (photometric == photometricRGB || photometric == photometricYCbCr) && f.pages &&
		w > 0 && h > 0 && !d.Has(tagJPEG) && len(f.Previews) < maxPreviews:
		f.Previews = append(f.Previews, Preview{Directory: at, Width: w, Height: h})
	}
	if d.Int(tagPreviewRGB, 0) == previewAdobeRGB {
		f.AdobeRGB = true
	}
	f.size(w, h)
	return d
}

// about reads what the first directory says of the picture, and the directories that it names.
func (f *finder) about(first *tiff.Directory) {
	if o := first.Int(tagOrientation, 0); 1 <= o && o <= 8 {
		f.Orientation = o
	}
	f.ICC, f.XMP, f.IPTC = first.Value(tagICC).Bytes, first.Value(tagXMP).Bytes, first.Value(tagIPTC).Bytes
	f.gps, _ = f.block.Directory(uint64(first.Int(tagGPS, 0)))
	if f.exif, _ = f.block.Directory(uint64(first.Int(tagEXIF, 0))); f.exif == nil {
		return
	}
	f.aboutEXIF(f.block)
	note := f.exif.Value(tagMakerNote)
	f.olympus(note.Bytes, int64(note.At))
	f.nikon(note.Bytes)
}

// aboutEXIF reads what an EXIF directory says of the colours and the size.
func (f *finder) aboutEXIF(block *tiff.Block) {
	f.size(f.exif.Int(tagPixelWidth, 0), f.exif.Int(tagPixelHeight, 0))
	f.AdobeRGB = f.AdobeRGB || f.exif.Int(tagColorSpace, 0) == adobeRGB
	if d, err := block.Directory(uint64(f.exif.Int(tagInterop, 0))); err == nil {
		f.AdobeRGB = f.AdobeRGB || string(d.Value(1).Bytes) == "R03\x00"
	}
}
