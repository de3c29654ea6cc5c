package raw_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/raw"
)

func samples() []enginetest.RAW {
	preview := enginetest.JPEG(enginetest.Photo(64, 48), enginetest.JPEGOptions{})
	return enginetest.RAWs(preview, image.Pt(100, 80), 6)
}

func TestFindReportsWhatTheFileSays(t *testing.T) {
	preview := enginetest.JPEG(enginetest.Photo(64, 48), enginetest.JPEGOptions{})
	for _, s := range samples() {
		f := raw.Find(s.Data)
		if f == nil {
			t.Errorf("%s: taken for no raw file", s.Kind)
			continue
		}
		if f.Width != 100 || f.Height != 80 || f.Cut {
			t.Errorf("%s: %d×%d pixels, cut %v", s.Kind, f.Width, f.Height, f.Cut)
		}
		if s.Kind != "raf" && (f.Orientation != 6 || f.EXIF == nil) {
			t.Errorf("%s: orientation %d, %d bytes of EXIF", s.Kind, f.Orientation, len(f.EXIF))
		}
		found := false
		for _, p := range f.Previews {
			found = found || bytes.Equal(p.JPEG, preview)
		}
		if !found {
			t.Errorf("%s: the preview is not among %d", s.Kind, len(f.Previews))
		}
	}
}

func TestOtherFilesAreNoRaw(t *testing.T) {
	img := enginetest.Photo(20, 20)
	for name, data := range map[string][]byte{
		"nothing": nil, "a TIFF": enginetest.TIFF(img), "a JPEG": enginetest.JPEG(img, enginetest.JPEGOptions{}),
		"HEIC":    enginetest.File("quadrants.heic"),
		"BigTIFF": []byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if raw.Find(data) != nil {
			t.Errorf("%s is taken for a raw file", name)
		}
	}
}

// A file can name any number of previews, and directories that lead back to themselves.
func TestWhatIsLookedAtIsBounded(t *testing.T) {
	order := binary.LittleEndian
	const directories = 1000
	data := []byte("IIRO\x08\x00\x00\x00")
	for i := range directories {
		at := len(data)
		data = order.AppendUint16(data, 3)
		for _, e := range [][2]uint32{{330, uint32(at)}, {513, 8}, {514, 4}} {
			data = order.AppendUint16(order.AppendUint16(data, uint16(e[0])), 4)
			data = order.AppendUint32(order.AppendUint32(data, 1), e[1])
		}
		next := at + 2 + 3*12 + 4
		if i == directories-1 {
			next = 8
		}
		data = order.AppendUint32(data, uint32(next))
	}
	if f := raw.Find(data); f == nil || len(f.Previews) > 0 {
		t.Errorf("%+v", f)
	}
	preview := append(bytes.Clone(data), "\xff\xd8\xff\xd9"...)
	for i := range directories {
		order.PutUint32(preview[8+i*(2+3*12+4)+2+12+8:], uint32(len(data)))
	}
	if f := raw.Find(preview); f == nil || len(f.Previews) == 0 || len(f.Previews) > 32 {
		t.Errorf("%+v", f)
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.Data)
	}
	files, _ := filepath.Glob("../../testdata/hostile/*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 64<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := raw.Find(data)
		if file == nil {
			return
		}
		for _, p := range file.Previews {
			if p.JPEG == nil {
				raw.Page(data, p)
			} else if !bytes.HasPrefix(p.JPEG, []byte("\xff\xd8\xff")) {
				t.Fatalf("a preview begins with % x", p.JPEG[:3])
			}
		}
		if len(file.Previews) > 32 || len(file.EXIF) > 65_000 || file.Width < 0 || file.Height < 0 {
			t.Fatalf("%d previews, %d bytes of EXIF, %d×%d", len(file.Previews), len(file.EXIF), file.Width, file.Height)
		}
	})
}
