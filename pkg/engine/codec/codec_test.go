package codec

import (
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/format"
)

func TestEveryFormatHasItsCodecs(t *testing.T) {
	list := Of()
	if len(list.Codecs) != len(format.All()) {
		t.Fatalf("%d codecs for %d formats", len(list.Codecs), len(format.All()))
	}
	absent := make(map[string]bool)
	for _, a := range list.Absent {
		absent[a.Library] = true
	}
	for i, f := range format.All() {
		c := list.Codecs[i]
		if f.Name == format.JXL { // no other codec reads it
			f.Read = !absent["libjxl"]
		}
		if c.Format != f.Name || (c.Reads != "") != f.Read || (c.Writes != "") != f.Written {
			t.Errorf("%+v; the table says read %v, written %v", c, f.Read, f.Written)
		}
	}
	for _, c := range list.Codecs {
		if c.Format == format.WebP && absent["libwebp"] && !strings.HasPrefix(c.Writes, "imagefarm; ") {
			t.Errorf("without libwebp, WebP is written by %s", c.Writes)
		}
	}
	for _, a := range list.Absent {
		if a.Why == "" {
			t.Errorf("%s is absent, and nothing says why", a.Library)
		}
	}
}
