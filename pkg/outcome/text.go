package outcome

import (
	"strings"
	"unicode/utf8"
)

// Cut returns the longest beginning of s that has at most limit bytes and does not end inside a character.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// Clip makes s fit for a message and a log line: valid UTF-8 on one line of at most limit bytes. An ellipsis is at the
// end of what was cut.
func Clip(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > limit {
		s = Cut(s, limit-len("…")) + "…"
	}
	return s
}
