package httpreply

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAnswersAreJSONThatNobodyStores(t *testing.T) {
	three, unencodable := map[string]int{"done": 3}, func() {}
	for want, answer := range map[string]func(w http.ResponseWriter){
		`200 {"done":3}`:                           func(w http.ResponseWriter) { JSON(w, 200, three) },
		`403 {"error":"only look"}`:                func(w http.ResponseWriter) { Refuse(w, 403, "only look") },
		`500 {"error":"cannot encode the answer"}`: func(w http.ResponseWriter) { JSON(w, 200, unencodable) },
	} {
		w := httptest.NewRecorder()
		answer(w)
		if got := w.Result().Status[:4] + w.Body.String(); got != want+"\n" {
			t.Errorf("the answer is %q, not %q", got, want)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s: %q, not %q", name, got, value)
			}
		}
	}
}
