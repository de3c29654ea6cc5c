package pipeline

import (
	"bytes"
	"strings"
	"testing"
)

// An interlaced file is shrunk in the order of its passes, and comes out like the same picture without passes.
func TestInterlacedPicturesAreShrunkAlike(t *testing.T) {
	ours, _ := besideReference(t)
	compared := 0
	for _, size := range [][2]int{{131, 90}, {64, 64}, {301, 7}} {
		plain := make(map[string][]byte)
		all := sources(size[0], size[1])
		for _, s := range all {
			plain[s.Name] = s.Data
		}
		for _, s := range all {
			name := strings.Replace(s.Name, ", interlaced", "", 1)
			if name == s.Name || plain[name] == nil {
				continue
			}
			for _, variant := range []string{"x=fit:16x16,format:png", "x=fit:3x3,format:png", "x=fill:20x20,format:png"} {
				got, want := outputs(t, ours, s.Data, variant)[0], outputs(t, ours, plain[name], variant)[0]
				if !bytes.Equal(got.Data, want.Data) {
					t.Errorf("%s of %v, %s: not as without passes", s.Name, size, variant)
				}
				compared++
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d pictures were compared", compared)
	}
}
