package recipe

import (
	"fmt"
	"strings"
)

// SyntaxError says which word of a recipe is wrong, and what may have been meant.
type SyntaxError struct {
	Text    string // what was parsed: one variant, one list of sizes, or canonical text
	Offset  int    // in bytes, of Word in Text
	Word    string // the word that is wrong; may be empty where one is missing
	Problem string // what is wrong, names Word
	Hint    string // what to write instead; may be empty
}

// Error implements error, in one line.
func (e *SyntaxError) Error() string {
	text := e.Text
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	s := fmt.Sprintf("recipe %q, at byte %d: %s", text, e.Offset, e.Problem)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Pointer returns two lines for a terminal: the text, and carets under the word.
func (e *SyntaxError) Pointer() string {
	return e.Text + "\n" + strings.Repeat(" ", len([]rune(e.Text[:e.Offset]))) +
		strings.Repeat("^", max(1, len([]rune(e.Word))))
}

// word is a part of a text that knows where it stands.
type word struct {
	text   string // the whole
	s      string
	offset int
}

func (w word) fail(hint, format string, args ...any) error {
	return &SyntaxError{Text: w.text, Offset: w.offset, Word: w.s, Problem: fmt.Sprintf(format, args...), Hint: hint}
}

// split cuts w at each sep and trims blanks, keeping offsets.
func (w word) split(sep string) []word {
	var parts []word
	for rest, at := w.s, w.offset; ; {
		s, after, found := strings.Cut(rest, sep)
		parts = append(parts, word{w.text, s, at}.trim())
		if !found {
			return parts
		}
		rest, at = after, at+len(s)+len(sep)
	}
}

func (w word) trim() word {
	left := strings.TrimLeft(w.s, " \t\r\n")
	w.offset += len(w.s) - len(left)
	w.s = strings.TrimRight(left, " \t\r\n")
	return w
}

// meant are words of other tools, and what they are called here.
func meant() map[string]string {
	return map[string]string{
		"resize": "fit", "thumbnail": "fit", "thumb": "fit", "contain": "fit", "inside": "fit", "scale": "fit",
		"size": "fit", "width": "fit", "height": "fit", "cover": "fill", "outside": "fill", "crop-fit": "fill",
		"stretch": "force", "exact": "force", "extend": "pad", "embed": "pad", "border": "pad", "trim": "crop",
		"extract": "crop", "mirror": "flop", "hflip": "flop", "vflip": "flip", "grayscale": "gray",
		"greyscale": "gray", "monochrome": "gray", "bw": "gray", "negate": "invert", "negative": "invert",
		"unsharp": "sharpen", "convert": "format", "type": "format", "q": "quality", "bg": "background",
		"autorotate": "orient", "auto-orient": "orient", "orientation": "orient", "upscale": "enlarge",
		"metadata": "strip", "profile": "icc", "animated": "animate", "overlay": "watermark", "logo": "watermark",
	}
}

// suggest returns a hint with the known word nearest to s, or the list of all.
func suggest(s string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(s, k); d < distance && d < max(len(k), 2) {
			best, distance = k, d
		}
	}
	if best == "" {
		return "known: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours, up to 3.
func editDistance(a, b string) int {
	if len(a) > 20 || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	var before, last, row [24]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
