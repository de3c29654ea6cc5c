package report

import (
	"bytes"
	"errors"
	"net/http"
	"time"
)

// writeTimeout bounds how long a reader may take for a page.
const writeTimeout = 30 * time.Second

// answer sends the page, or an error that says why there is none.
func answer(w http.ResponseWriter, text *bytes.Buffer, err error) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // not every writer has deadlines
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	var unknown *UnknownRunError
	switch {
	case errors.As(err, &unknown):
		http.Error(w, unknown.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", contentPolicy)
		_, _ = w.Write(text.Bytes()) // a reader who has gone needs no answer
	}
}
