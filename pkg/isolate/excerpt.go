package isolate

import (
	"bytes"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// excerptPart is how many bytes an excerpt keeps of the beginning, and as many of the end.
const excerptPart = 2 << 10

// excerpt keeps the beginning and the end of what a child wrote to its standard error. A crash report says in its first
// lines what happened, and may be long.
type excerpt struct {
	head    []byte
	tail    []byte // a ring buffer once it is full
	next    int    // where the ring is written next
	skipped bool   // bytes between head and tail were dropped
}

// Write implements io.Writer; it never fails.
func (x *excerpt) Write(p []byte) (int, error) {
	n := len(p)
	if room := excerptPart - len(x.head); room > 0 {
		k := min(room, len(p))
		x.head = append(x.head, p[:k]...)
		p = p[k:]
	}
	if len(p) > excerptPart {
		x.skipped = true
		p = p[len(p)-excerptPart:]
	}
	if room := excerptPart - len(x.tail); room > 0 {
		k := min(room, len(p))
		x.tail = append(x.tail, p[:k]...)
		p = p[k:]
	}
	for len(p) > 0 {
		x.skipped = true
		k := copy(x.tail[x.next:], p)
		x.next = (x.next + k) % excerptPart
		p = p[k:]
	}
	return n, nil
}

// reset forgets everything: the next bytes belong to another image.
func (x *excerpt) reset() {
	x.head, x.tail, x.next, x.skipped = x.head[:0], x.tail[:0], 0, false
}

// String returns the excerpt, with "…" where something is missing.
func (x *excerpt) String() string {
	var b strings.Builder
	b.Write(x.head)
	if x.skipped {
		b.WriteString("\n…\n")
	}
	b.Write(x.tail[x.next:])
	b.Write(x.tail[:x.next])
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// recentStderr keeps what a child wrote to its standard error since its second-last request. That includes all output
// of the task at work, whose request may have been sent during the task before.
type recentStderr struct {
	mu          sync.Mutex
	before, now excerpt
}

// Write implements io.Writer; it never fails.
func (h *recentStderr) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now.Write(p)
}

// turn notes that the child is sent its next request, and whether it was idle.
func (h *recentStderr) turn(idle bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before, h.now = h.now, h.before
	h.now.reset()
	if idle {
		h.before.reset()
	}
}

func (h *recentStderr) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.before.String() + h.now.String()
}

// headline returns the line of a crash report that says what happened, or "".
func headline(report string) string {
	first := ""
	for line := range strings.Lines(report) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if first == "" {
			first = line
		}
		for _, start := range []string{"panic: ", "fatal error: ", "runtime: out of memory", "SIG", "terminate called"} {
			if strings.HasPrefix(line, start) {
				return outcome.Clip(line, maxHeadline)
			}
		}
	}
	return outcome.Clip(first, maxHeadline)
}

// outOfMemory reports whether a crash report says that an allocation failed.
func outOfMemory(report string) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory", "cannot map pages", "bad_alloc"} {
		if bytes.Contains(bytes.ToLower([]byte(report)), []byte(words)) {
			return true
		}
	}
	return false
}
