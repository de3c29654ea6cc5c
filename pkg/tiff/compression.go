package tiff

import "fmt"

// compression is a value of the tag Compression.
type compression int

const (
	noCompression   compression = 1
	faxRLE          compression = 2
	faxT4           compression = 3
	faxT6           compression = 4
	lzw             compression = 5
	oldJPEG         compression = 6
	jpegCompression compression = 7
	deflate         compression = 8
	faxRLEW         compression = 32771
	packBits        compression = 32773
	oldDeflate      compression = 32946
	zstdCompression compression = 50000
)

// fax tells whether rows of one bit are coded as fax machines do.
func (c compression) fax() bool { return c == faxRLE || c == faxT4 || c == faxT6 || c == faxRLEW }

// predicts tells whether files of this compression may use a predictor.
func (c compression) predicts() bool {
	return c == lzw || c == deflate || c == oldDeflate || c == zstdCompression
}

// String names compressions that this package does not read.
func (c compression) String() string {
	names := map[compression]string{
		9: "JBIG", 10: "JBIG", 32766: "NeXT", 32809: "ThunderScan", 32895: "IT8", 32896: "IT8", 32897: "IT8", 32898: "IT8",
		32908: "Pixar film", 32909: "PixarLog", 32947: "DCS", 33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000",
		34661: "JBIG",
		34676: "SGILog", 34677: "SGILog24", 34712: "JPEG 2000", 34713: "Nikon NEF", 34715: "JBIG 2", 34887: "LERC",
		34892: "lossy JPEG of DNG", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR", 50001: "WebP", 50002: "JPEG XL",
		52546: "JPEG XL of DNG", 65000: "Kodak DCR", 65535: "Pentax PEF", 32767: "Sony ARW", 32769: "Epson ERF",
		32770: "Samsung SRW",
	}
	if name, ok := names[c]; ok {
		return fmt.Sprintf("compression %d (%s)", int(c), name)
	}
	return fmt.Sprintf("compression %d", int(c))
}

func (p *page) readCompression() error {
	p.compression = compression(p.int(tagCompression, int(noCompression)))
	switch p.compression {
	case noCompression, lzw, deflate, oldDeflate, packBits, zstdCompression, jpegCompression, oldJPEG:
		return nil
	case faxRLE, faxT4, faxT6, faxRLEW:
		if p.int(tagBits, 1) != 1 || p.int(tagSamples, 1) != 1 {
			return unsupported("fax compression of more than one bit a pixel")
		}
		return nil
	}
	return unsupported("%v", p.compression)
}
