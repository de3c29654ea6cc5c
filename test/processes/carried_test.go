//go:build unix

package processes

import (
	"archive/tar"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func TestSidecarsGoFromShardsIntoShards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, err := os.Create(filepath.Join(dir, "in.tar"))
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(in)
	for _, f := range []struct{ name, data string }{
		{"a/1.jpg", string(picture(t, 1))}, {"a/1.json", `{"n": 1}`}, {"a/1.txt", "a lake"},
		{"a/2.cls", "7"}, {"a/2.jpg", string(picture(t, 2))},
		{"a/3.jpg", string(picture(t, 3))}, {"a/3.json", "no json"},
	} {
		err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write([]byte(f.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), in.Close()); err != nil {
		t.Fatal(err)
	}
	f := farmtest.New(t, programs, filepath.Join(dir, "none"))
	out := filepath.Join(dir, "set")
	f.Start("run", "farm", "run", "--http", "", "--size", "64", "--out", "tar:"+out, in.Name()).MustExit(0)
	samples := readShards(t, out)
	one, two, three := samples["in.tar/a/1_thumbnail64.jpg"], samples["in.tar/a/2_thumbnail64.jpg"],
		samples["in.tar/a/3_thumbnail64.jpg"]
	if string(one.About.Sidecar) != `{"n": 1}` || one.Others["txt"] != "a lake" || len(one.Others) != 1 {
		t.Errorf("the first sample is %+v", one)
	}
	if two.Others["cls"] != "7" || two.About.Sidecar != nil || three.About.Sidecar != nil || len(three.Others) != 0 {
		t.Errorf("the others are %+v and %+v", two, three)
	}
}

func TestColumnsOfAListGoIntoLedgerAndShards(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone.jpg" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(picture(t, 9))
	}))
	defer server.Close()
	dir := t.TempDir()
	list := filepath.Join(dir, "list.csv")
	rows := fmt.Sprintf("id,image,caption\n1,%s/a.jpg,\"a lake, é\"\n2,%[1]s/b.jpg?v=3,\n3,%[1]s/gone.jpg,gone\n",
		server.URL)
	write(t, list, []byte(rows))
	f := farmtest.New(t, programs, filepath.Join(dir, "none"))
	out := filepath.Join(dir, "set")
	f.Start("run", "farm", "run", "--http", "", "--size", "64", "--allow-private", "--url-interval", "1ms",
		"--url-column", "image", "--out", "tar:"+out, list).MustExit(3)
	samples := readShards(t, out)
	for _, s := range samples {
		switch s.About.Columns["id"] {
		case "1":
			if s.About.Columns["caption"] != "a lake, é" || s.About.Source != server.URL+"/a.jpg" {
				t.Errorf("the first sample is %+v", s)
			}
		case "2":
			if s.About.Source != server.URL+"/b.jpg?v=3" || len(s.About.Columns) != 1 {
				t.Errorf("the second sample is %+v", s)
			}
		default:
			t.Errorf("there is a sample %+v", s)
		}
	}
	if len(samples) != 2 {
		t.Errorf("%d samples", len(samples))
	}
	l, err := ledger.Open(filepath.Join(out, ".imagefarm", "ledger.db"), ledger.Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	err = l.Walk(t.Context(), 0, func(e ledger.Entry) error {
		seen = append(seen, e.Columns["id"]+e.URL)
		return nil
	})
	if all := strings.Join(seen, " "); err != nil || len(seen) != 3 ||
		!strings.Contains(all, "2"+server.URL+"/b.jpg?v=3") ||
		!strings.Contains(all, "3") {
		t.Errorf("the ledger has %q, %v", seen, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	report := f.Start("report", "farm", "rejects", "--json", "--out", "tar:"+out)
	report.MustExit(0)
	report.MustSay(`"caption":"gone"`)
}
