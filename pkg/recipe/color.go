package recipe

import (
	"fmt"
	"strconv"
	"strings"
)

// Color is a colour with alpha, not premultiplied.
type Color struct{ R, G, B, A uint8 }

// White is the default background.
var White = Color{255, 255, 255, 255}

// String returns six hexadecimal digits, or eight where the colour is not opaque.
func (c Color) String() string {
	if c.A == 255 {
		return fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B)
	}
	return fmt.Sprintf("%02x%02x%02x%02x", c.R, c.G, c.B, c.A)
}

// colorNames are the sixteen colours of HTML 4, and the names of no colour.
func colorNames() map[string]string {
	return map[string]string{
		"black": "000000", "silver": "c0c0c0", "gray": "808080", "grey": "808080", "white": "ffffff",
		"maroon": "800000", "red": "ff0000", "purple": "800080", "fuchsia": "ff00ff", "magenta": "ff00ff",
		"green": "008000", "lime": "00ff00", "olive": "808000", "yellow": "ffff00", "navy": "000080",
		"blue": "0000ff", "teal": "008080", "aqua": "00ffff", "cyan": "00ffff", "orange": "ffa500",
		"transparent": "00000000", "none": "00000000",
	}
}

// parseColor reads a name, or 3, 4, 6 or 8 hexadecimal digits with or without '#'.
func parseColor(s string) (Color, bool) {
	s = strings.ToLower(s)
	if hex, ok := colorNames()[s]; ok {
		s = hex
	}
	s = strings.TrimPrefix(s, "#")
	if len(s) == 3 || len(s) == 4 {
		long := make([]byte, 0, 8)
		for i := range len(s) {
			long = append(long, s[i], s[i])
		}
		s = string(long)
	}
	if len(s) == 6 {
		s += "ff"
	}
	if len(s) != 8 {
		return Color{}, false
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return Color{}, false
	}
	return Color{uint8(n >> 24), uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}
