package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tally counts omissions by their kind.
type Tally map[Kind]int64

// String lists the kinds with their counts, the most frequent first: "3 hidden, 2 NEF". It is empty if nothing was
// left out.
func (t Tally) String() string {
	kinds := slices.SortedFunc(maps.Keys(t), func(a, b Kind) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = fmt.Sprintf("%d %s", t[k], k.plural(t[k]))
	}
	return strings.Join(words, ", ")
}

func (k Kind) plural(n int64) string {
	if n == 1 {
		return string(k)
	}
	switch k {
	case LinkedDir:
		return "symlinked directories"
	case LinkOut:
		return "links out of the input"
	case Special:
		return "devices, pipes or sockets"
	case LargeSidecar:
		return "sidecars of more than 16 KiB"
	case OutputDir:
		return "directories of outputs"
	case NotAnImage:
		return "not images"
	}
	return string(k)
}
