//go:build !unix

package source

import (
	"io/fs"
	"strconv"
)

const nonBlocking = 0

// identity tells a file's content from what it held before.
func identity(info fs.FileInfo) string {
	return strconv.FormatInt(info.Size(), 36) + ":" + strconv.FormatInt(info.ModTime().UnixNano(), 36)
}
