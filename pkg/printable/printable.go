// Package printable makes texts of peers and files safe to print. Such texts may hold escape sequences that change a
// terminal, characters that reverse the order of others, or formulas of spreadsheets.
package printable

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// dangers are the characters that a terminal or a browser may take for more than characters, as first and last ones of
// ranges: control characters (C0, DEL, C1), controls of the writing direction, line and paragraph separators. Line
// breaks and tabs are dangerous only inside a line.
var dangers = [][2]rune{
	{0, 0x08}, {0x0B, 0x1F}, {0x7F, 0x9F}, {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
}

func dangerous(r rune) bool {
	for _, d := range dangers {
		if r >= d[0] && r <= d[1] {
			return true
		}
	}
	return false
}

// Script returns a module of JavaScript that exports dangerous, a regular expression of the dangerous characters, for
// pages that put texts of peers into elements.
func Script() []byte {
	var class strings.Builder
	for _, d := range dangers { // all of them have four hexadecimal digits
		fmt.Fprintf(&class, `\u%04x-\u%04x`, d[0], d[1])
	}
	return fmt.Appendf(nil, "// Made by pkg/printable.\nexport const dangerous = /[%s]/g;\n", class.String())
}

// Line returns a text that stays in its line and its column: it quotes a text, as Go does, that has dangerous
// characters, line breaks, tabs or bytes that are not UTF-8.
func Line(text string) string {
	inLine := func(r rune) bool { return dangerous(r) || r == '\n' || r == '\t' }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, inLine) {
		return strconv.Quote(text)
	}
	return text
}

// Cell returns a text that stays in its line of a CSV file, and that no spreadsheet takes for a formula when it opens
// the file.
func Cell(text string) string {
	text = strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text)
	if text != "" && strings.ContainsRune("=+-@\t", rune(text[0])) {
		return "'" + text
	}
	return text
}

// writer is what NewWriter returns.
type writer struct {
	w io.Writer

	mu   sync.Mutex
	part []byte // the beginning of a character whose other bytes are in the next Write
}

// NewWriter returns a writer that escapes dangerous characters: \u001b stands for an escape, which JSON takes for the
// same character, and \x9b for a byte that is not UTF-8. It is safe for concurrent use.
func NewWriter(w io.Writer) io.Writer { return &writer{w: w} }

// Write implements io.Writer.
func (p *writer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := b
	if len(p.part) > 0 {
		text = append(p.part, b...)
		p.part = nil
	}
	text, p.part = cut(text)
	if _, err := p.w.Write(escaped(text)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// cut splits off the beginning of a character at the end of text.
func cut(text []byte) (whole, part []byte) {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return text[:i], append([]byte(nil), text[i:]...)
			}
			break
		}
	}
	return text, nil
}

// escaped returns text with its dangerous characters escaped.
func escaped(text []byte) []byte {
	var out []byte // nil: nothing has been escaped
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		invalid := r == utf8.RuneError && n == 1
		if !invalid && !dangerous(r) {
			if out != nil {
				out = append(out, text[i:i+n]...)
			}
			i += n
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(text)+16), text[:i]...)
		}
		if invalid {
			out = fmt.Appendf(out, `\x%02x`, text[i])
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	if out == nil {
		return text
	}
	return out
}
