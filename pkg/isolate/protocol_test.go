package isolate

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// replies is one of each kind, as encoded.
func replies(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	for _, r := range []reply{
		{task: 1, rejection: outcome.Reject(outcome.Truncated, "it ends at row 17")},
		{task: 2, rejection: &outcome.Rejection{Reason: outcome.Corrupt}},
		{task: 5, rejection: outcome.RejectVariant("hero", outcome.TooManyPixels, "it is too wide")},
		{task: 3, failure: "no space left"},
		{task: 4, result: &engine.Result{}},
		{task: 1<<64 - 1, sizes: []int64{0, 1 << 20}, result: &engine.Result{
			Format: "png", Width: 1, Height: 1<<31 - 1, Dropped: []string{"icc", "tEXt"},
			Known: &known.Facts{
				Captured: "2024-05-17T12:30:45", Camera: "Ada", Color: "c86432", ThumbHash: []byte{1, 2, 3, 4, 5},
				Location: &known.Location{Latitude: 1.5, Longitude: -2.5},
			},
			Warnings: outcome.Warnings{"it ends at row 17", "two"},
			Stages:   engine.Stages{Decode: 1, Transform: 2, Encode: 3},
			Outputs: []engine.Output{
				{Format: "webp", Width: 3, Quality: 78},
				{Refused: &outcome.Rejection{Reason: outcome.TooManyPixels, Detail: "it is too wide"}},
			},
		}},
	} {
		b, err := r.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func TestMessagesRoundTrip(t *testing.T) {
	s := setup{shared: true, libraries: 5, input: 1, output: 2, memory: 3, engine: "imaging", settings: "{}"}
	if got, err := parseSetup(s.append(nil)[headerSize:]); err != nil || got != s {
		t.Errorf("setup %+v, %v; want %+v", got, err, s)
	}
	q := request{task: 7, offset: 100, length: 23, recipe: "thumb=fit:64x64"}
	if got, err := parseRequest(q.append(nil)[headerSize:], 123); err != nil || got != q {
		t.Errorf("request %+v, %v; want %+v", got, err, q)
	}
	if _, err := parseRequest(q.append(nil)[headerSize:], 122); err == nil {
		t.Error("a request beyond the shared memory was read")
	}
	q = request{offset: 1<<64 - 1, length: 2}
	if _, err := parseRequest(q.append(nil)[headerSize:], 1<<40); err == nil {
		t.Error("a request whose end overflows was read")
	}
	for _, b := range replies(t) {
		r, err := parseReply(b[4], b[headerSize:], 1<<20)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if again, err := r.append(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%+v: %x, %v; want %x", r, again, err, b)
		}
	}
}

func TestReplyThatCannotBeSaidIsAnError(t *testing.T) {
	many := make([]engine.Output, 65)
	for name, r := range map[string]reply{
		"unknown reason": {rejection: outcome.Reject("ugly", "")},
		"format":         {result: &engine.Result{Format: "a/b"}},
		"long format":    {result: &engine.Result{Format: strings.Repeat("x", 65)}},
		"dropped":        {result: &engine.Result{Dropped: []string{"two words"}}},
		"much dropped":   {result: &engine.Result{Dropped: make([]string, 65)}},
		"warning":        {result: &engine.Result{Warnings: outcome.Warnings{"two\nlines"}}},
		"many warnings":  {result: &engine.Result{Warnings: make(outcome.Warnings, outcome.MaxWarnings+1)}},
		"camera":         {result: &engine.Result{Known: &known.Facts{Camera: "two\nlines"}}},
		"width":          {result: &engine.Result{Width: -1}},
		"height":         {result: &engine.Result{Height: 1 << 31}},
		"stages":         {result: &engine.Result{Stages: engine.Stages{Encode: -1}}},
		"outputs":        {result: &engine.Result{Outputs: many}, sizes: make([]int64, 65)},
		"output":         {result: &engine.Result{Outputs: []engine.Output{{Format: "ü"}}}, sizes: []int64{1}},
	} {
		if b, err := r.append(nil); err == nil {
			t.Errorf("%s: encoded as %x", name, b)
		}
	}
}

func TestClipKeepsPlainTextOfBoundedSize(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"plain ü":                         "plain ü",
		"two\nlines\x1b[31m":              "two lines [31m",
		"bad \xff\xfe":                    "bad \uFFFD",
		strings.Repeat("ü", maxText):      strings.Repeat("ü", (maxText-3)/2) + "…",
		strings.Repeat("x", maxText):      strings.Repeat("x", maxText),
		"separators\u2028\u2029\u0085end": "separators   end",
	} {
		if got := clip(in); got != want || clip(got) != got {
			t.Errorf("clip(%.40q) = %.40q, want %.40q", in, got, want)
		}
	}
}

// FuzzReply is about malleability: what is accepted is what would be written.
func FuzzReply(f *testing.F) {
	for _, b := range replies(f) {
		f.Add(b[4], b[headerSize:])
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		const limit = 1 << 20
		r, err := parseReply(kind, body, limit)
		if err != nil {
			if !reflect.DeepEqual(r, reply{}) {
				t.Fatalf("an error (%v) with a reply: %+v", err, r)
			}
			return
		}
		sum := int64(0)
		for _, n := range r.sizes {
			if n < 0 {
				t.Fatalf("a size of %d", n)
			}
			sum += n
		}
		if sum != r.total || sum > limit {
			t.Fatalf("sizes of %d, total %d, limit %d", sum, r.total, limit)
		}
		again, err := r.append(nil)
		if err != nil || again[4] != kind || !bytes.Equal(again[headerSize:], body) {
			t.Fatalf("%x was read and would be written as %x (%v)", body, again, err)
		}
	})
}

func FuzzReadMessage(f *testing.F) {
	for _, b := range replies(f) {
		f.Add(b)
	}
	f.Add([]byte{255, 255, 255, 255, 4})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		var buf []byte
		for used := 0; ; {
			kind, body, err := readMessage(r, &buf, 1<<10)
			if err == io.EOF && used != len(stream) {
				t.Fatalf("the end after %d of %d bytes", used, len(stream))
			}
			if err != nil {
				return
			}
			if len(body) > 1<<10 || kind != stream[used+4] {
				t.Fatalf("kind %d, %d bytes", kind, len(body))
			}
			used += headerSize + len(body)
		}
	})
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("panic: x\n"), 3)
	f.Add(bytes.Repeat([]byte("0123456789"), 1000), 7)
	f.Fuzz(func(t *testing.T, text []byte, part int) {
		var x excerpt
		part = max(part, 1)
		for rest := text; len(rest) > 0; {
			n := min(part, len(rest))
			if wrote, err := x.Write(rest[:n]); wrote != n || err != nil {
				t.Fatal(wrote, err)
			}
			rest = rest[n:]
		}
		got := x.String()
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if want := strings.ToValidUTF8(string(text), "\uFFFD"); len(text) <= 2*excerptPart && got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		if len(text) > 2*excerptPart && utf8.Valid(text) && isASCII(text) {
			want := string(text[:excerptPart]) + "\n…\n" + string(text[len(text)-excerptPart:])
			if got != want {
				t.Fatalf("%q, want %q", got, want)
			}
		}
		x.reset()
		if x.String() != "" {
			t.Fatal("something is left after reset")
		}
	})
}

func isASCII(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf })
}

func TestHeadlineIsWhatHappened(t *testing.T) {
	for report, want := range map[string]string{
		"": "",
		"libfoo: warning\npanic: index out of range [5]\n\ngoroutine 1 [running]:\n": "panic: index out of range [5]",
		"\n\nsomething else\nand more":                          "something else",
		"fatal error: runtime: out of memory\n\nruntime stack:": "fatal error: runtime: out of memory",
		"SIGSEGV: segmentation violation\nPC=0x1":               "SIGSEGV: segmentation violation",
		"panic: " + strings.Repeat("x", 1000):                   "panic: " + strings.Repeat("x", 290) + "…",
	} {
		if got := headline(report); got != want {
			t.Errorf("headline(%.40q) = %q, want %q", report, got, want)
		}
	}
}

func TestConfigThatCannotBeUsedSaysWhy(t *testing.T) {
	if err := (Config{Engine: "x"}).Validate(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]Config{
		"Engine is empty": {},
		"Engine has 65":   {Engine: strings.Repeat("x", 65)},
		"Settings has":    {Engine: "x", Settings: make([]byte, 65<<10)},
		"Slots is -1":     {Engine: "x", Slots: -1},
		"Threads is -1":   {Engine: "x", Threads: -1},
		"TaskTimeout is":  {Engine: "x", TaskTimeout: -1},
		"TaskMemory is 1": {Engine: "x", TaskMemory: 1},
		"MaxInput is":     {Engine: "x", MaxInput: -1},
		"MaxOutput is":    {Engine: "x", MaxOutput: 5 << 30},
		"Buffers is -1":   {Engine: "x", Buffers: -1},
		"StartTimeout":    {Engine: "x", StartTimeout: -1},
		`Env has "x"`:     {Engine: "x", Env: []string{"x"}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if _, err := New(c); err == nil {
			t.Errorf("New took what Validate refuses: %s", want)
		}
	}
}
