//go:build unix

package source

import (
	"io/fs"
	"strconv"
	"syscall"
)

// nonBlocking makes opening a pipe return at once.
const nonBlocking = syscall.O_NONBLOCK | syscall.O_NOCTTY

// identity tells a file from others, and its content from what it held before.
func identity(info fs.FileInfo) string {
	b := make([]byte, 0, 64)
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		b = strconv.AppendUint(b, uint64(st.Dev), 36) //nolint:unconvert // of another type elsewhere
		b = strconv.AppendUint(append(b, ':'), st.Ino, 36)
	}
	b = strconv.AppendInt(append(b, ':'), info.Size(), 36)
	return string(strconv.AppendInt(append(b, ':'), info.ModTime().UnixNano(), 36))
}
