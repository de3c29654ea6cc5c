// Package png reads PNG files by rows, at the speed of a good C library, without holding a whole picture, and writes
// them.
//
//	r, err := png.Open(file, raster.Options{})
//	row := make([]byte, raster.RowSize(r))
//	for err == nil { // io.EOF behind the last row
//		err = r.ReadRow(row)
//	}
//
// # What is read
//
// All colour types and depths of the PNG specification (third edition). Gray of 1, 2 and 4 bits is given with 8;
// palettes as colours; a colour key (tRNS) as alpha. Of an animated PNG the default picture is read. Gamma and
// profiles are left to the caller.
//
// Of an interlaced file ReadRow holds the even rows, because they come first: as the file stores them, or with
// Options.Narrow with 8 bits a sample. ReadParts holds none.
//
// # Damage
//
// A chunk that is not needed for the picture is ignored when its CRC is wrong, and a warning tells so. A wrong CRC
// anywhere else, a wrong Adler-32 checksum and a filter that does not exist are a *raster.CorruptError. A file that
// ends before its pixels do is a *raster.TruncatedError, or with Options.AcceptTruncated a picture whose rest is
// zeros. A missing end (IEND) is no fault: the picture is whole. An index beyond the palette is black, with a
// warning.
//
// # What is written
//
// An Encoder writes pictures of 8 or 16 bits in the fewest channels and bits that hold them exactly: gray, a palette,
// without alpha. Each row has the filter with the least sum of absolute differences, as in libpng; what is compressed
// is left to klauspost/compress. Rows are not interlaced.
//
// # How it works
//
// chunks.go lists the chunks, package inflate decompresses their data, unfilter.go undoes the filters of rows,
// expand.go turns samples into channels, interlace.go puts the passes of an interlaced picture together. encode.go
// writes, form.go finds the form of what is written, filter.go filters. Rows are filtered and unfiltered with AVX2 on
// amd64, unless built with the tag purego.
package png
