package codec

import (
	"testing"

	"github.com/imagefarm/imagefarm/pkg/format"
)

func TestEveryFormatHasItsCodecs(t *testing.T) {
	list := Of()
	if len(list.Codecs) != len(format.All()) {
		t.Fatalf("%d codecs for %d formats", len(list.Codecs), len(format.All()))
	}
	for i, f := range format.All() {
		c := list.Codecs[i]
		if c.Format != f.Name || (c.Reads != "") != f.Read || (c.Writes != "") != f.Written {
			t.Errorf("%+v; the table says read %v, written %v", c, f.Read, f.Written)
		}
	}
	for _, a := range list.Absent {
		if a.Why == "" {
			t.Errorf("%s is absent, and nothing says why", a.Library)
		}
	}
}
