package known

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestFactsAreChecked(t *testing.T) {
	good := Facts{
		SHA256: make([]byte, 32), Captured: "2024-05-17T12:30:45+02:00", Camera: "Ada EOS 1", Color: "ff8000",
		Location: &Location{-90, 180}, ThumbHash: make([]byte, 24),
	}
	if err := good.Check(); err != nil || good.Empty() {
		t.Fatal(err)
	}
	if (*Facts)(nil).Check() != nil || !(*Facts)(nil).Empty() || !new(Facts).Empty() {
		t.Error("nothing is something")
	}
	text, err := json.Marshal(good)
	var again Facts
	if err != nil || json.Unmarshal(text, &again) != nil || !reflect.DeepEqual(again, good) ||
		!strings.Contains(string(text), `"sha256":"0000`) {
		t.Errorf("%s, %v, %+v", text, err, again)
	}
	for name, spoil := range map[string]func(*Facts){
		"digest":    func(f *Facts) { f.SHA256 = make([]byte, 31) },
		"time":      func(f *Facts) { f.Captured = "2024-05-17T25:30:45" },
		"zone":      func(f *Facts) { f.Captured = "2024-05-17T12:30:45+17:04" },
		"fractions": func(f *Facts) { f.Captured = "2024-05-17T12:30:45.123456" },
		"camera":    func(f *Facts) { f.Camera = strings.Repeat("x", MaxCamera+1) },
		"text":      func(f *Facts) { f.Camera = "a\x1b[31mb" },
		"color":     func(f *Facts) { f.Color = "FF8000" },
		"latitude":  func(f *Facts) { f.Location = &Location{90.1, 0} },
		"thumbhash": func(f *Facts) { f.ThumbHash = make([]byte, 33) },
	} {
		bad := good
		if spoil(&bad); bad.Check() == nil {
			t.Errorf("%s: %+v can be", name, bad)
		}
	}
}

func TestCamerasAreCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"  Ada\x00\x00 EOS\t1 ": "Ada EOS 1", "\xff": "", strings.Repeat("ü", 40): strings.Repeat("ü", 32),
		"ok\u202eevil": "ok evil",
	} {
		if got := CleanCamera(in); got != want || CleanCamera(got) != got {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
