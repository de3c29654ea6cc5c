package recipe

import (
	"fmt"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/nearest"
)

// SyntaxError says which word of a recipe is wrong, and suggests another.
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

// Pointer returns two lines for a terminal: the text, and carets below the word that is wrong.
func (e *SyntaxError) Pointer() string {
	return e.Text + "\n" + strings.Repeat(" ", len([]rune(e.Text[:e.Offset]))) +
		strings.Repeat("^", max(1, len([]rune(e.Word))))
}

// word is a part of a text with its place, so that an error can point at it.
type word struct {
	text   string // the whole
	s      string
	offset int
}

func (w word) fail(hint, format string, args ...any) error {
	return &SyntaxError{Text: w.text, Offset: w.offset, Word: w.s, Problem: fmt.Sprintf(format, args...), Hint: hint}
}

// split cuts w at each separator and trims blanks. The parts keep their places.
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

// meant maps words of other tools to the words of this package.
func meant() map[string]string {
	return map[string]string{
		"resize": "fit", "thumbnail": "fit", "thumb": "fit", "contain": "fit", "inside": "fit", "scale": "fit",
		"size": "fit", "width": "fit", "height": "fit", "cover": "fill", "outside": "fill", "crop-fit": "fill",
		"stretch": "force", "exact": "force", "extend": "pad", "embed": "pad", "border": "pad", "autocrop": "trim",
		"extract": "crop", "mirror": "flop", "hflip": "flop", "vflip": "flip", "grayscale": "gray",
		"greyscale": "gray", "monochrome": "gray", "bw": "gray", "negate": "invert", "negative": "invert",
		"unsharp": "sharpen", "convert": "format", "type": "format", "q": "quality", "bg": "background",
		"autorotate": "orient", "auto-orient": "orient", "orientation": "orient", "upscale": "enlarge",
		"interlace": "progressive", "subsample": "chroma", "sampling": "chroma",
		"subsampling": "chroma", "trellis-quant": "trellis", "trellis_quant": "trellis", "mozjpeg": "trellis",
		"speed": "effort", "method": "effort", "colours": "colors",
		"palette": "colors", "level": "compression", "maxbytes": "max-bytes", "max_bytes": "max-bytes",
		"filesize": "max-bytes", "target-size": "max-bytes", "smart-subsample": "sharp-yuv",
		"near_lossless": "near-lossless", "metadata": "strip", "profile": "icc", "animated": "animate",
		"overlay": "watermark", "logo": "watermark",
	}
}

// suggest returns a hint with the known word nearest to s, or the list of all.
func suggest(s string, known []string) string {
	if meant := nearest.Word(s, known); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return "known: " + strings.Join(known, ", ")
}
