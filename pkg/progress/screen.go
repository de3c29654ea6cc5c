package progress

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// clearLine moves the cursor to the start of its line and clears the line.
const clearLine = "\r\x1b[2K"

// Screen is standard error, shared by a bar and log lines. Write clears the bar before it writes a line; the bar draws
// itself again below that line. Screen is safe for concurrent use.
type Screen struct {
	w io.Writer

	mu    sync.Mutex
	drawn bool // the cursor is at the end of a bar
}

// NewScreen returns a screen that writes to w.
func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

// Write writes whole lines.
func (s *Screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		s.drawn = false
		if _, err := io.WriteString(s.w, clearLine); err != nil {
			return 0, err
		}
	}
	return s.w.Write(lines)
}

// Fd returns the file descriptor of the screen, or an invalid one if the screen is not a file.
func (s *Screen) Fd() uintptr {
	if f, ok := s.w.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// columns returns the width of the terminal, in characters.
func (s *Screen) columns() int {
	if f, ok := s.w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// barWriter writes a bar to a screen.
type barWriter struct{ screen *Screen }

func (b barWriter) Write(p []byte) (int, error) {
	b.screen.mu.Lock()
	defer b.screen.mu.Unlock()
	b.screen.drawn = true
	return b.screen.w.Write(p)
}

// endBar moves the cursor below the bar, which stays.
func (s *Screen) endBar() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn = false
	_, _ = io.WriteString(s.w, "\n") // a closed terminal needs no line
}
