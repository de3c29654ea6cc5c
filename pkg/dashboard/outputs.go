package dashboard

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// output serves an output: an image that browsers show, or any other file as a download. It serves only names that a
// receipt or a ledger entry has named, and only through the store, which keeps every name inside its directory.
func (d *Dashboard) output(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	at, ok := d.memory.allowed(name)
	if !ok || d.cfg.Outputs == nil {
		http.NotFound(w, r)
		return
	}
	leave, ok := d.sending.takePlace(w, r)
	if !ok {
		return
	}
	defer leave()
	f, err := d.cfg.Outputs.Open(name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.log.Debug("cannot open an output", "name", name, "error", err)
		}
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	var head [512]byte
	n := 0
	if err == nil {
		n, err = io.ReadFull(f, head[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
	}
	if err != nil {
		d.log.Debug("cannot read an output", "name", name, "error", err)
		http.NotFound(w, r)
		return
	}
	changed := time.UnixMilli(at)
	if s, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := s.Stat(); err == nil {
			changed = info.ModTime()
		}
	}
	h := w.Header()
	kind := imageType(head[:n])
	if kind == "" {
		kind = "application/octet-stream"
		h.Set("Content-Disposition", "attachment")
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, changed.UnixNano(), size))
	h.Set("Cache-Control", "private, no-cache")
	if r.URL.Query().Get("v") != "" { // the page names the version
		h.Set("Cache-Control", "private, max-age=86400, immutable")
	}
	http.ServeContent(w, r, "", changed, f)
}

// imageType returns the content type of an image that browsers show, from its first bytes. It returns "" for all other
// content, so that a browser never takes an output for a document or a script.
func imageType(head []byte) string {
	switch kind := http.DetectContentType(head); kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp":
		return kind
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" && strings.HasPrefix(string(head[8:12]), "avi") {
		return "image/avif"
	}
	return ""
}
