package isolate

import (
	"bytes"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestReadyCrossesWhole(t *testing.T) {
	for _, want := range []ready{
		{},
		{layers: []Layer{{Name: layerSeccomp}, {Name: layerNetwork, Missing: "operation not permitted"}}},
	} {
		b := want.append(nil)
		if got, err := parseReady(b[4], b[headerSize:]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
}

func TestOddReadyIsAnError(t *testing.T) {
	good := ready{layers: []Layer{{Name: layerSeccomp, Missing: "why"}}}.append(nil)
	body := func(change func([]byte) []byte) []byte { return change(slices.Clone(good[headerSize:])) }
	for name, c := range map[string]struct {
		kind byte
		body []byte
	}{
		"another kind":    {kindDone, good[headerSize:]},
		"another version": {kindReady, body(func(b []byte) []byte { b[0]++; return b })},
		"no version":      {kindReady, nil},
		"no layers":       {kindReady, good[headerSize : headerSize+4]},
		"too many layers": {kindReady, body(func(b []byte) []byte { b[4] = maxLayers + 1; return b })},
		"a layer too few": {kindReady, body(func(b []byte) []byte { b[4]++; return b })},
		"an end too late": {kindReady, append(slices.Clone(good[headerSize:]), 0)},
		"a forged log line": {kindReady, body(func(b []byte) []byte {
			return bytes.Replace(b, []byte("why"), []byte("w\ny"),
				1)
		})},
		"a name of no layer": {kindReady, body(func(b []byte) []byte {
			return bytes.Replace(b, []byte("sec"),
				[]byte("s\x1bc"), 1)
		})},
	} {
		if r, err := parseReady(c.kind, c.body); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzReady(f *testing.F) {
	f.Add(ready{}.append(nil)[headerSize:])
	f.Add(ready{layers: []Layer{{Name: layerSeccomp, Missing: "why"}, {Name: layerLandlock}}}.append(nil)[headerSize:])
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseReady(kindReady, body)
		if err != nil {
			return
		}
		if again := r.append(nil)[headerSize:]; !bytes.Equal(again, body) {
			t.Errorf("%x became %x", body, again)
		}
	})
}

func TestMissingLayersAreLoggedOnce(t *testing.T) {
	var said bytes.Buffer
	e, err := New(Config{Engine: "poison", Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	whole := []Layer{{Name: layerLandlock}, {Name: layerSeccomp}}
	less := []Layer{{Name: layerLandlock, Missing: "the kernel has none"}, {Name: layerSeccomp}}
	none := []Layer{{Name: layerSeccomp, Missing: "no filter for mips"}}
	for _, c := range []struct {
		layers []Layer
		want   string // empty: nothing is logged
	}{
		{whole, ""}, {less, "level=INFO"}, {less, ""}, {none, "level=WARN"}, {none, ""}, {whole, ""},
	} {
		said.Reset()
		e.recordSandbox(c.layers)
		if got := said.String(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: logged %q, want %q", c.layers, got, c.want)
		}
		if !slices.Equal(e.Sandbox(), c.layers) {
			t.Errorf("the layers are %+v, want %+v", e.Sandbox(), c.layers)
		}
	}
	if !strings.Contains(func() string { said.Reset(); e.recordSandbox(none); return said.String() }(),
		"seccomp (no filter for mips)") {
		t.Errorf("the log names no layer: %q", said.String())
	}
}
