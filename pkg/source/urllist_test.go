package source

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// parquetOf makes a Parquet file with a row group for each of the slices of rows.
func parquetOf[T any](t testing.TB, path string, groups ...[]T) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[T](f)
	for _, rows := range groups {
		if _, err = w.Write(rows); err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// walkList returns the entries of a list.
func walkList(t *testing.T, path string, cfg Config) (entries []Entry, omitted []Omission) {
	t.Helper()
	s, err := Parse(path, nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Walk(t.Context(), func(e Entry) error {
		entries = append(entries, e)
		return nil
	}, func(o Omission) { omitted = append(omitted, o) })
	if err != nil {
		t.Fatal(err)
	}
	return entries, omitted
}

type listRow struct {
	ID      int64    `parquet:"id"`
	Image   string   `parquet:"Image"`
	Caption *string  `parquet:"caption,optional"`
	Tags    []string `parquet:"tags,list"`
}

func TestListsOfURLsAndTheirColumns(t *testing.T) {
	dir, caption := t.TempDir(), "a lake, é"
	for file, content := range map[string]string{
		"a.txt":   "# mine\nhttps://x/1.jpg\r\n\nhttps://x/2.jpg\nhttps://x/1.jpg\n",
		"a.csv":   "id,IMAGE,caption\n7,https://x/1.jpg,\"a lake, é\"\n8,\"https://x/2.jpg\"\n",
		"a.jsonl": `{"image":"https://x/1.jpg","id":7,"caption":"a lake, é"}` + "\n" + `{"image":"https://x/2.jpg","id":8}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parquetOf(t, filepath.Join(dir, "a.parquet"),
		[]listRow{{ID: 7, Image: "https://x/1.jpg", Caption: &caption, Tags: []string{"a", "b"}}},
		[]listRow{{ID: 8, Image: "https://x/2.jpg"}})
	for _, file := range []string{"a.txt", "a.csv", "a.jsonl", "a.parquet"} {
		entries, omitted := walkList(t, filepath.Join(dir, file), Config{Web: Web{Column: "image"}})
		if len(entries) != 2 || len(omitted) > 0 || entries[0].Name != "x/1.jpg" || entries[1].Name != "x/2.jpg" {
			t.Errorf("%s: %v, left out %v", file, entries, omitted)
			continue
		}
		if file == "a.txt" {
			continue
		}
		for i, want := range []map[string]string{{"id": "7", "caption": caption}, {"id": "8"}} {
			if !maps.Equal(entries[i].Columns, want) {
				t.Errorf("%s: the columns are %q, not %q", file, entries[i].Columns, want)
			}
		}
	}
}

func TestListsThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	parquetOf(t, filepath.Join(dir, "column.parquet"), []listRow{{ID: 7}})
	whole, err := os.ReadFile(filepath.Join(dir, "column.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{
		"a.csv": "a,b\n1,2\n", "a.jsonl": `{"a":1}`, "b.JSONL": `nonsense`, "none.parquet": "PAR1 nonsense PAR1",
		"cut.parquet": string(whole[:len(whole)/2]), "empty.parquet": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 7 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		entries, omitted := walkList(t, path, Config{})
		if len(entries) > 0 || len(omitted) != 1 || omitted[0].Kind != Unreadable ||
			omitted[0].List != path {
			t.Errorf("%s: %v, left out %v", path, entries, omitted)
		}
	}
}

func TestColumnsAreBounded(t *testing.T) {
	var names, values []string
	for i := range 100 {
		names = append(names, fmt.Sprint("c", i))
		values = append(values, strings.Repeat("é", maxColumn))
	}
	content := "url," + strings.Join(names, ",") + "\nhttps://x/1.jpg," + strings.Join(values, ",") + "\n"
	path := filepath.Join(t.TempDir(), "wide.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, _ := walkList(t, path, Config{})
	if len(entries) != 1 || len(entries[0].Columns) != maxColumns || len(entries[0].Columns["c0"]) != maxColumn {
		t.Errorf("the row has %d columns", len(entries[0].Columns))
	}
}

// heapOf returns how much more memory is in use at a call of look, at most, than before the walk.
func heapOf(walk func(look func())) uint64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := before.HeapAlloc
	walk(func() {
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc)
	})
	return most - before.HeapAlloc
}

// flat is how many bytes a walk may hold, however many images it visits.
const flat = 8 << 20

func TestMillionURLsFitIntoLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a long list")
	}
	const n = million
	path := filepath.Join(t.TempDir(), "urls.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "url,caption")
	for i := range n {
		fmt.Fprintf(w, "https://example.org/%d/photo-%08d.jpg,the photo number %d of a long list\n", i/1000, i, i)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(path, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	mustStayFlat(t, s, n, flat)
}

// mustStayFlat walks a source of n images, and fails if it holds more than limit bytes meanwhile.
func mustStayFlat(t *testing.T, s Source, n int, limit uint64) {
	t.Helper()
	seen := 0
	heap := heapOf(func(look func()) {
		err := s.Walk(t.Context(), func(Entry) error {
			if seen++; seen%(n/8) == 0 {
				look()
			}
			return nil
		}, func(o Omission) { t.Errorf("left out: %v", o) })
		if err != nil {
			t.Error(err)
		}
	})
	if seen != n || heap > limit {
		t.Errorf("%d of %d images, %d bytes of heap, more than %d", seen, n, heap, limit)
	}
	t.Logf("%d images: %d KiB of heap", seen, heap>>10)
}

// hugeBucket lists n objects, a page at a time, as S3 does.
func hugeBucket(t *testing.T, n int) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("list-type") != "2" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		from := 0
		for _, mark := range []string{r.URL.Query().Get("start-after"), r.URL.Query().Get("continuation-token")} {
			if mark != "" {
				_, _ = fmt.Sscanf(mark, "in/%d.jpg", &from)
				from++
			}
		}
		to := min(from+1000, n)
		fmt.Fprintf(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>%t</IsTruncated>`, to < n)
		for i := from; i < to; i++ {
			fmt.Fprintf(w, `<Contents><Key>in/%09d.jpg</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>`+
				`<ETag>"%x"</ETag><Size>%d</Size></Contents>`, i, i, 1000+i)
		}
		if to < n {
			fmt.Fprintf(w, `<NextContinuationToken>in/%09d.jpg</NextContinuationToken>`, to-1)
		}
		fmt.Fprint(w, `</ListBucketResult>`)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
		"AWS_CONFIG_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
}

func TestMillionObjectsFitIntoLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a long listing")
	}
	const n = million
	hugeBucket(t, n)
	s, err := Parse("s3://photos/in", nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	mustStayFlat(t, s, n, flat)
}

func TestSidecarsTravelWithTheirKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "set.tar")
	big := strings.Repeat("x", MaxSidecar+1)
	writeTar(t, path, [][2]string{
		{"d/1.jpg", "one"}, {"d/1.json", `{"a":1}`}, {"d/1.txt", "a lake"}, {"d/1.left.txt", "no sidecar"},
		{"d/2.cls", "7"}, {"d/2.jpg", "two"}, {"d/2.png", "also two"},
		{"d/3.jpg", "three"}, {"d/3.txt", big}, {"d/3.cls", "\xff"},
		{"4.jpg", "four"},
	})
	s, err := Parse(path, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]map[string]string)
	var names []string
	var left Tally = make(map[Kind]int64)
	err = s.Walk(t.Context(), func(e Entry) error {
		names = append(names, strings.TrimPrefix(e.Name, "set.tar/"))
		texts, err := Sidecars(t.Context(), s, e)
		got[names[len(names)-1]] = texts
		return err
	}, func(o Omission) { left[o.Kind]++ })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"d/1.jpg": {"json": `{"a":1}`, "txt": "a lake"}, "d/2.jpg": {"cls": "7"}, "d/2.png": {"cls": "7"}, "d/3.jpg": {},
		"4.jpg": {},
	}
	for name, texts := range want {
		if !maps.Equal(got[name], texts) {
			t.Errorf("%s: %q, not %q", name, got[name], texts)
		}
	}
	if order := []string{"d/1.jpg", "d/1.json", "d/1.txt", "d/1.left.txt", "d/2.cls", "d/2.jpg", "d/2.png", "d/3.jpg",
		"d/3.cls", "4.jpg"}; !slices.Equal(names, order) || left[LargeSidecar] != 1 {
		t.Errorf("visited %q, left out %v", names, left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Walk(ctx, func(Entry) error { return nil }, func(Omission) {}); err == nil {
		t.Error("a cancelled walk goes on")
	}
}

func writeTar(t *testing.T, path string, files [][2]string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	for _, file := range files {
		err = w.WriteHeader(&tar.Header{Name: file[0], Mode: 0o644, Size: int64(len(file[1])), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write([]byte(file[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
