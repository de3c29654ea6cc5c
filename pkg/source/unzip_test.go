package source_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// sizedZip makes a zip whose headers tell the sizes of the files, as most programs do that write to files.
func sizedZip(t testing.TB, files ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, file := range files {
		data, method := []byte(file[1]), zip.Store
		if i%2 == 1 {
			var packed bytes.Buffer
			d, err := flate.NewWriter(&packed, 6)
			if err == nil {
				_, err = d.Write(data)
			}
			if err == nil {
				err = d.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			data, method = packed.Bytes(), zip.Deflate
		}
		f, err := w.CreateRaw(&zip.FileHeader{Name: file[0], Method: method, CRC32: crc32.ChecksumIEEE([]byte(file[1])),
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(file[1]))})
		if err == nil {
			_, err = f.Write(data)
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

// namesOfZip walks a zip, reads what can be read, and returns the names, and the reasons of what is refused.
func namesOfZip(t testing.TB, data []byte, want map[string]string) (names []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := source.Parse(path, nil, source.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Walk(t.Context(), func(e source.Entry) error {
		name := strings.TrimPrefix(e.Name, "a.zip/")
		if e.Refused != nil {
			names = append(names, name+": "+string(e.Refused.Reason))
			return nil
		}
		names = append(names, name)
		f, err := s.Open(t.Context(), e)
		if err != nil {
			return err
		}
		defer f.Close()
		got, err := io.ReadAll(f)
		if err == nil && want != nil && string(got) != want[name] {
			t.Errorf("%s holds %d bytes, not %d", name, len(got), len(want[name]))
		}
		if want == nil {
			return nil // damaged on purpose
		}
		return err
	}, func(source.Omission) {})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestTruncatedZipYieldsItsWholeFiles(t *testing.T) {
	content := map[string]string{
		"1.jpg": strings.Repeat("one", 50), "2.jpg": strings.Repeat("two", 500),
		"3.jpg": "PK\x03\x04 and PK\x01\x02 and PK\x05\x06 inside " + strings.Repeat("x", 100), "4.jpg": "four",
	}
	var files [][2]string
	for _, name := range []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg"} {
		files = append(files, [2]string{name, content[name]})
	}
	whole := sizedZip(t, files...)
	directory := bytes.LastIndex(whole[:len(whole)-22], []byte("4.jpg"))
	fourth := bytes.Index(whole, []byte("4.jpg")) - 30
	rest := "(rest): " + string(outcome.Truncated)
	piped := pipedZip(t, zip.Deflate, files...)
	pipedDirectory := bytes.Index(piped, []byte("PK\x01\x02"))
	pipedSecond := bytes.Index(piped, []byte("2.jpg")) - 30
	for _, c := range []struct {
		what string
		data []byte
		want []string
	}{
		{"whole", whole, []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg"}},
		{"cut in its directory", whole[:directory], []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg", rest}},
		{"cut in the third file", whole[:fourth-20], []string{"1.jpg", "2.jpg", rest}},
		{"cut in a header", whole[:fourth+12], []string{"1.jpg", "2.jpg", "3.jpg", rest}},
		{"cut in the first file", whole[:40], []string{rest}},
		{"stored, of a pipe", pipedZip(t, zip.Store, files...)[:400], []string{rest}},
		{"of a pipe, whole", piped, []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg"}},
		{"of a pipe, cut in its directory", piped[:pipedDirectory+60], []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg", rest}},
		{"of a pipe, cut in the last descriptor", piped[:pipedDirectory-5], []string{"1.jpg", "2.jpg", "3.jpg", rest}},
		{"of a pipe, cut in the second file", piped[:pipedSecond+40], []string{"1.jpg", rest}},
	} {
		if got := namesOfZip(t, c.data, content); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, not %q", c.what, got, c.want)
		}
	}

	// A header that lies about the size of its file: neither that file nor what follows is believed.
	lying := slices.Clone(whole[:directory])
	at := bytes.Index(lying, []byte("3.jpg")) - 30
	binary.LittleEndian.PutUint32(lying[at+18:], binary.LittleEndian.Uint32(lying[at+18:])-7)
	want := []string{"1.jpg", "2.jpg", "(rest): " + string(outcome.Corrupt)}
	if got := namesOfZip(t, lying, content); !slices.Equal(got, want) {
		t.Errorf("lying: %q, not %q", got, want)
	}
}

// pipedZip makes a zip as a program does that writes to a pipe: the sizes of the files are behind them.
func pipedZip(t testing.TB, method uint16, files ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, file := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: file[0], Method: method})
		if err == nil {
			_, err = io.WriteString(f, file[1])
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

// The descriptors of the zip64 form have sizes of eight bytes, and the signature may be missing.
func TestDescriptorsOfAllForms(t *testing.T) {
	piped := pipedZip(t, zip.Deflate, [2]string{"1.jpg", strings.Repeat("one", 50)}, [2]string{"2.jpg", "two"})
	at := bytes.Index(piped, []byte("PK\x07\x08"))
	sizes := piped[at+8 : at+16]
	long := slices.Concat(piped[:at+8], sizes[:4], make([]byte, 4), sizes[4:], make([]byte, 4), piped[at+16:])
	for what, data := range map[string][]byte{"zip64": long, "unsigned": slices.Concat(piped[:at], piped[at+4:])} {
		data = data[:bytes.Index(data, []byte("PK\x01\x02"))]
		want := []string{"1.jpg", "2.jpg", "(rest): " + string(outcome.Truncated)}
		if got := namesOfZip(t, data, map[string]string{"1.jpg": strings.Repeat("one", 50), "2.jpg": "two"}); !slices.Equal(
			got, want) {
			t.Errorf("%s: %q", what, got)
		}
	}
}

func FuzzTruncatedZip(f *testing.F) {
	whole := sizedZip(f, [2]string{"1.jpg", "one"}, [2]string{"2.jpg", "two two two two"})
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	piped := pipedZip(f, zip.Deflate, [2]string{"1.jpg", "one"}, [2]string{"2.jpg", "two two two two"})
	f.Add(piped[:bytes.Index(piped, []byte("PK\x01\x02"))])
	f.Fuzz(func(t *testing.T, data []byte) { namesOfZip(t, data, nil) })
}
