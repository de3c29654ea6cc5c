package printable

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// harmful are characters and bytes that must never be printed.
var harmful = []string{
	"\x1b[2J", "\x1b]0;title\a", "\x00", "\b", "\r", "\v", "\x7f", "\u0085", "\u009b31m", "\u009d0;title\u009c", "\x9b31m",
	"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2028", "\u2029",
	"\u2066", "\u2067", "\u2068", "\u2069", "\xff", "\xe2\x80", "\xed\xa0\x80",
}

// harmless stays as it is.
const harmless = "naïve 日本語 👩‍👩‍👧 \\u001b 'x' – “y”"

func TestHarmfulCharactersAreEscaped(t *testing.T) {
	for _, bad := range harmful {
		for _, text := range []string{bad, "a" + bad + "b", bad + harmless} {
			var out bytes.Buffer
			w := NewWriter(&out)
			for _, b := range []byte(text + "\n") { // characters come in parts
				if n, err := w.Write([]byte{b}); n != 1 || err != nil {
					t.Fatal(n, err)
				}
			}
			var whole bytes.Buffer
			if _, err := NewWriter(&whole).Write([]byte(text + "\n")); err != nil {
				t.Fatal(err)
			}
			if out.String() != whole.String() {
				t.Errorf("%q: %q in parts, %q at once", text, out.String(), whole.String())
			}
			for what, got := range map[string]string{"writer": out.String(), "line": Line(text)} {
				if !utf8.ValidString(got) || strings.ContainsFunc(got, dangerous) {
					t.Errorf("%s: %q became %q", what, text, got)
				}
			}
		}
	}
	var out bytes.Buffer
	if _, err := NewWriter(&out).Write([]byte("a\tb\n" + harmless)); err != nil || out.String() != "a\tb\n"+harmless {
		t.Errorf("a harmless text became %q, %v", out.String(), err)
	}
	if Line(harmless) != harmless || Line("a\nb") != `"a\nb"` || Line("a\tb") != `"a\tb"` {
		t.Errorf("lines are %s, %s, %s", Line(harmless), Line("a\nb"), Line("a\tb"))
	}
}

func TestEscapedJSONMeansTheSame(t *testing.T) {
	for _, bad := range harmful {
		var out bytes.Buffer
		if err := json.NewEncoder(NewWriter(&out)).Encode(bad); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != bad && utf8.ValidString(bad) {
			t.Errorf("%q came back as %q, %v", bad, got, err)
		}
	}
}

func TestCellIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "a", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x",
		"\t=1": "'\t=1", "a\r\n=1": `a\r\n=1`,
	} {
		if got := Cell(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
