package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/imagefarm/imagefarm/pkg/printable"
)

//go:embed page
var embedded embed.FS

// pages are the files of the page.
type pages struct {
	files map[string]pageFile
}

type pageFile struct {
	content []byte
	kind    string
	etag    string
}

// kinds are the content types of the page's files, by extension.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func loadPages() (*pages, error) {
	entries, err := embedded.ReadDir("page")
	if err != nil {
		return nil, err
	}
	p := &pages{files: make(map[string]pageFile, len(entries))}
	for _, e := range entries {
		content, err := embedded.ReadFile("page/" + e.Name())
		if err != nil {
			return nil, err
		}
		kind, ok := kinds[path.Ext(e.Name())]
		if !ok {
			return nil, fmt.Errorf("the page's file %s has an unknown type", e.Name())
		}
		p.add(e.Name(), content, kind)
	}
	p.add("printable.js", printable.Script(), kinds[".js"])
	return p, nil
}

func (p *pages) add(name string, content []byte, kind string) {
	p.files[name] = pageFile{content, kind, fmt.Sprintf(`"%.8x"`, sha256.Sum256(content))}
}

func (p *pages) serve(w http.ResponseWriter, r *http.Request) {
	p.file(r.PathValue("file")).ServeHTTP(w, r)
}

func (p *pages) file(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := p.files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f.kind)
		w.Header().Set("Cache-Control", "no-cache") // browsers revalidate each time, and load it only when it changed
		w.Header().Set("ETag", f.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
	})
}
