package format

// HeadSize is the number of leading bytes that Detect looks at.
const HeadSize = 64

// Detect returns the name of the format that the first bytes of a file tell, or "". It looks at no more than HeadSize
// bytes; with fewer, the answer may be "".
func Detect(head []byte) string {
	head = head[:min(len(head), HeadSize)]
	for _, f := range table {
		if f.matches(head) {
			return f.Name
		}
	}
	return ""
}

// has reports whether magic stands in head at an offset.
func has(head []byte, at int, magic string) bool {
	return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
}

// begins returns a test for heads that begin with one of the signatures.
func begins(signatures ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, s := range signatures {
			if has(head, 0, s) {
				return true
			}
		}
		return false
	}
}

// isCR2 tells Canon's raw file from other TIFFs.
func isCR2(head []byte) bool { return has(head, 0, "II*\x00") && has(head, 8, "CR\x02") }

// isBitmap looks at the length of the second header as well: text can begin with BM too.
func isBitmap(head []byte) bool {
	if !has(head, 0, "BM") || len(head) < 18 || head[15] != 0 || head[16] != 0 || head[17] != 0 {
		return false
	}
	switch head[14] {
	case 12, 16, 40, 52, 56, 64, 108, 124:
		return true
	}
	return false
}

// brandFormat returns HEIC, AVIF or "" for the ftyp box with which an ISO file begins. The first brand that names a
// coding decides, the major one before the compatible ones:
//
//	size:32 "ftyp" major:32 minor:32 { compatible:32 … }
//
// The major brands of the image file format itself name no coding. Without a second brand that does, most such files
// hold HEVC.
func brandFormat(head []byte) string {
	if !has(head, 4, "ftyp") || len(head) < 12 {
		return ""
	}
	size := len(head)
	if n := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3]); n >= 8 {
		size = min(size, n)
	}
	for at := 8; at+4 <= size; at += 4 {
		if at == 12 { // the minor version
			continue
		}
		switch string(head[at : at+4]) {
		case "avif", "avis", "avio", "MA1A", "MA1B":
			return AVIF
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "MiHE", "MiHA", "MiHB":
			return HEIC
		}
	}
	switch string(head[8:12]) {
	case "mif1", "mif2", "msf1", "miaf":
		return HEIC
	}
	return ""
}
