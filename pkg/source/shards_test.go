package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// tarOf makes a tar of files that hold their names.
func tarOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(name)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packed(t testing.TB, data []byte, open func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zstandard(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) io.WriteCloser {
		e, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

func TestFilesInArchivesAreEntries(t *testing.T) {
	inside := []string{"b.jpg", "./a.jpg", "deep/er/c.jpg", "c.json", ".hidden.jpg"}
	archives := map[string][]byte{
		"x.tar": tarOf(t, inside...), "x.TAR.gz": gzipped(t, tarOf(t, inside...)), "x.tgz": gzipped(t, tarOf(t, inside...)),
		"x.tar.zst": zstandard(t, tarOf(t, inside...)), "x.zip": zipOf(t, inside...),
	}
	for archive, data := range archives {
		t.Run(archive, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "in", archive), string(data))
			s := parse(t, dir, source.Config{Include: []string{"*.jpg"}})
			entries, omitted := walk(t, s)
			var want []string
			for _, name := range []string{"b.jpg", "a.jpg", "deep/er/c.jpg"} {
				want = append(want, "in/"+archive+"/"+name)
			}
			if !slices.Equal(names(entries), want) || !slices.Equal(omitted, []string{"excluded c.json", "hidden .hidden.jpg"}) {
				t.Fatalf("found %q, left out %q", names(entries), omitted)
			}
			for i, e := range slices.Backward(entries) { // in another order, too
				content := strings.TrimPrefix(inside[i], "")
				if got, err := read(s, e); err != nil || got != content || e.Size != int64(len(content)) {
					t.Errorf("%s holds %q, %v", e.Name, got, err)
				}
			}
			again, _ := walk(t, parse(t, dir, source.Config{Include: []string{"*.jpg"}}))
			if entries[0].Version == "" || entries[0].Version != again[0].Version || entries[0].Version == entries[1].Version {
				t.Errorf("versions %q, %q", entries[0].Version, again[0].Version)
			}
		})
	}
}

func TestArchivesInABucket(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	s.Put("in/x.tar", tarOf(t, "a.jpg", "b.jpg"))
	s.Put("in/y.zip", zipOf(t, "c.jpg"))
	src := parse(t, "s3://photos/in", source.Config{})
	entries, _ := walk(t, src)
	if !slices.Equal(names(entries), []string{"x.tar/a.jpg", "x.tar/b.jpg", "y.zip/c.jpg"}) {
		t.Fatalf("found %q", names(entries))
	}
	for _, e := range entries {
		if got, err := read(src, e); err != nil || got != filepath.Base(e.Name) {
			t.Errorf("%s holds %q, %v", e.Name, got, err)
		}
	}
}

// refusedOf returns the refused entries.
func refusedOf(entries []source.Entry) (refused []source.Entry) {
	for _, e := range entries {
		if e.Refused != nil {
			refused = append(refused, e)
		}
	}
	return refused
}

func TestTruncatedArchiveYieldsWhatIsWholeAndOneRejection(t *testing.T) {
	var inside []string
	for i := range 50 {
		inside = append(inside, fmt.Sprintf("%02d.jpg", i))
	}
	whole := tarOf(t, inside...)
	for archive, data := range map[string][]byte{
		"in a header.tar": whole[:20*1024+100], "in a file.tar": whole[:20*1024+514],
		"in between.tar": whole[:20*1024], "in the padding.tar": whole[:20*1024-100], "empty.tar": nil,
		"packed.tar.gz": gzipped(t, whole)[:len(gzipped(t, whole))*2/3], "no archive.tar": []byte(strings.Repeat("nonsense",
			200)),
		"no archive.tar.gz": []byte("nonsense"), "no archive.tar.zst": []byte("nonsense"), "cut.zip": zipOf(t,
			inside...)[:500],
		"damaged.tar": slices.Concat(whole[:20*1024], bytes.Repeat([]byte{7}, 5000)),
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, archive), string(data))
		s := parse(t, dir, source.Config{})
		entries, omitted := walk(t, s)
		refused := refusedOf(entries)
		if len(refused) != 1 || refused[0].Name != archive+"/(rest)" || len(omitted) != 0 {
			t.Errorf("%s: refused %v, left out %q", archive, refused, omitted)
			continue
		}
		why := refused[0].Refused
		if n := len(entries) - 1; !strings.Contains(why.Detail, fmt.Sprintf("whole files before the damage: %d", n)) ||
			strings.HasPrefix(archive, "in a") && (n != 20 || why.Reason != outcome.Truncated ||
				!strings.Contains(why.Detail, `"19.jpg"`)) {
			t.Errorf("%s: %d entries, %v", archive, n, why)
		}
		for _, e := range entries[:len(entries)-1] {
			if got, err := read(s, e); err != nil || got != filepath.Base(e.Name) {
				t.Errorf("%s holds %q, %v", e.Name, got, err)
			}
		}
	}
}

func TestLinksAndRepeatedNamesInArchivesAreLeftOut(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "a.jpg", Size: 1, Typeflag: tar.TypeReg},
		{Name: "dir/", Typeflag: tar.TypeDir},
		{Name: "link.jpg", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink},
		{Name: "hard.jpg", Linkname: "a.jpg", Typeflag: tar.TypeLink},
		{Name: "null.jpg", Typeflag: tar.TypeChar},
		{Name: "a.jpg", Size: 1, Typeflag: tar.TypeReg},
		{Name: "../../up.jpg", Size: 1, Typeflag: tar.TypeReg},
		{Name: "/root.jpg", Size: 1, Typeflag: tar.TypeReg},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.tar"), b.String())
	entries, omitted := walk(t, parse(t, dir, source.Config{}))
	// Names that lead out stay as they are: no store takes an output of such a name.
	if want := []string{"x.tar/a.jpg", "x.tar/../../up.jpg", "x.tar//root.jpg"}; !slices.Equal(names(entries), want) {
		t.Errorf("found %q", names(entries))
	}
	if want := 4; len(omitted) != want {
		t.Errorf("left out %q", omitted)
	}
}

func TestBombIsNotUnpacked(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	head := tarOf(t, "a.jpg")
	big := tar.Header{Name: "big.bmp", Size: 1 << 32, Typeflag: tar.TypeReg}
	if _, err := w.Write(head[:1024]); err != nil {
		t.Fatal(err)
	}
	if err := tar.NewWriter(w).WriteHeader(&big); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 80 { // more than an archive of a few KB may unpack to
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "x.tar.zst"), b.String())
	entries, _ := walk(t, parse(t, dir, source.Config{}))
	refused := refusedOf(entries)
	if len(entries) != 2 || len(refused) != 1 || refused[0].Refused.Reason != outcome.TooLarge {
		t.Errorf("found %v", entries)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("temporary files %v, %v", left, err)
	}
}

func TestDamagedFileInAZipIsRejected(t *testing.T) {
	data := zipOf(t, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.jpg")
	at := bytes.Index(data, []byte(".jpg")) + 4
	data[at+3] ^= 0xff
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.zip"), string(data))
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	f, err := s.Open(t.Context(), entries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var why *outcome.Rejection
	if _, err := io.ReadFull(f, make([]byte, f.Size)); !errors.As(err, &why) || why.Reason != outcome.Corrupt {
		t.Errorf("%v", err)
	}
}

func TestManyArchivesAreReadAtOnce(t *testing.T) {
	dir := t.TempDir()
	for i := range 12 {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.tar.gz", i)), string(gzipped(t, tarOf(t, "a.jpg", "b.jpg"))))
	}
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	var all sync.WaitGroup
	for range 3 {
		for _, e := range entries {
			all.Go(func() {
				if got, err := read(s, e); err != nil || got != filepath.Base(e.Name) {
					t.Errorf("%s holds %q, %v", e.Name, got, err)
				}
			})
		}
	}
	all.Wait()
}

func FuzzArchive(f *testing.F) {
	f.Add(0, tarOf(f, "a.jpg", "b/c.jpg"))
	f.Add(1, gzipped(f, tarOf(f, "a.jpg")))
	f.Add(2, zstandard(f, tarOf(f, "a.jpg")))
	f.Add(3, zipOf(f, "a.jpg", "b/c.jpg"))
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		dir := t.TempDir()
		name := "x" + []string{".tar", ".tar.gz", ".tar.zst", ".zip"}[uint(kind)%4]
		write(t, filepath.Join(dir, name), string(data))
		s := parse(t, dir, source.Config{})
		entries, _ := walk(t, s)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name, name+"/") || e.Size < 0 {
				t.Errorf("found %v", e)
			}
			if e.Refused == nil && e.Size < 1<<20 {
				if got, err := read(s, e); err == nil && int64(len(got)) != e.Size {
					t.Errorf("%s has %d bytes, not %d", e.Name, len(got), e.Size)
				}
			}
		}
	})
}
