// Package httpreply writes the JSON answers of the farm's HTTP interfaces, so that all of them look alike to programs.
package httpreply

import (
	"encoding/json"
	"net/http"
)

// JSON answers with a status and a value. Neither browsers nor proxies may store the answer or guess its type. A value
// that cannot be encoded is answered with status 500.
func JSON(w http.ResponseWriter, status int, value any) {
	b, err := json.Marshal(value)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"cannot encode the answer"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that has disconnected needs no answer
}

// Refuse answers with a status and the reason why the request is not served.
func Refuse(w http.ResponseWriter, status int, why string) {
	JSON(w, status, map[string]string{"error": why})
}
