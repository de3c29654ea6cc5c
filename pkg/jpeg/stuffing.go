package jpeg

import "bytes"

// plainNextMarker is nextMarker.
func plainNextMarker(data []byte) int {
	for at := 0; ; at++ {
		i := bytes.IndexByte(data[at:], 0xFF)
		if i < 0 || at+i+1 >= len(data) {
			return -1
		}
		if at += i; data[at+1] != 0 {
			return at
		}
	}
}

// plainUnstuff is unstuff.
func plainUnstuff(dst, src []byte) (written, read int) {
	for written < len(dst) && read < len(src) {
		chunk := src[read:min(len(src), read+len(dst)-written)]
		i := bytes.IndexByte(chunk, 0xFF)
		if i < 0 {
			i = len(chunk)
		}
		written += copy(dst[written:], chunk[:i])
		read += i
		if i == len(chunk) {
			continue
		}
		if read+1 >= len(src) || src[read+1] != 0 {
			break
		}
		dst[written] = 0xFF
		written++
		read += 2
	}
	return written, read
}
