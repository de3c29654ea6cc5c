package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func post(h http.Handler, target, token, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const token = "open sesame"

func TestActionsNeedTheToken(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f, ActionToken: token}).Handler()
	for name, c := range map[string]struct {
		token  string
		header []string
		want   int
	}{
		"the right token":   {token, nil, 200},
		"none":              {"", nil, 401},
		"another":           {"open barley", nil, 401},
		"another site":      {token, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another origin":    {token, []string{"Origin", "http://evil.example"}, 403},
		"a form's type":     {token, []string{"Content-Type", "text/plain"}, 415},
		"with a charset":    {token, []string{"Content-Type", "application/json; charset=utf-8"}, 200},
		"the page's origin": {token, []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"/api/v1/retry", "/api/v1/steer"} {
				if w := post(h, target, c.token, `{"state":"paused"}`, c.header...); w.Code != c.want {
					t.Errorf("%s: %d %s, not %d", target, w.Code, w.Body, c.want)
				}
			}
		})
	}
}

func TestWithoutActionsNoPostIsAccepted(t *testing.T) {
	h := newDashboard(t, Config{Source: newFakeSink()}).Handler()
	for _, target := range []string{"/api/v1/retry", "/api/v1/steer"} {
		w := post(h, target, token, `{}`)
		if w.Code != http.StatusMethodNotAllowed || !strings.Contains(w.Body.String(), `{"error":"no such action, or`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestWrongTokensAreLimited(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f, ActionToken: token}).Handler()
	for range maxGuesses {
		if w := post(h, "/api/v1/retry", "guess", `{}`); w.Code != http.StatusUnauthorized {
			t.Fatal(w.Code)
		}
	}
	if w := post(h, "/api/v1/retry", token, `{}`); w.Code != http.StatusTooManyRequests {
		t.Errorf("after %d guesses: %d", maxGuesses, w.Code)
	}
}

func TestRetrySelectsByRunOutcomeAndReason(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f, ActionToken: token}).Handler()
	for body, want := range map[string]struct {
		status   int
		outcomes []outcome.Outcome
		reasons  int
	}{
		`{}`:                                    {200, []outcome.Outcome{outcome.Rejected, outcome.Dead}, 0},
		`{"reasons":["truncated"]}`:             {200, []outcome.Outcome{outcome.Rejected}, 1},
		`{"outcomes":["dead"],"run":"r"}`:       {200, []outcome.Outcome{outcome.Dead}, 0},
		`{"outcomes":["done"]}`:                 {400, nil, 0},
		`{"reasons":["ugly"]}`:                  {400, nil, 0},
		`nonsense`:                              {400, nil, 0},
		`"` + strings.Repeat("x", 70_000) + `"`: {400, nil, 0},
		`{"outcomes":["rejected"],"unknown":1}`: {200, []outcome.Outcome{outcome.Rejected}, 0},
	} {
		f.args.Outcomes, f.args.Reasons = nil, nil
		w := post(h, "/api/v1/retry", token, body)
		if w.Code != want.status || len(f.args.Outcomes) != len(want.outcomes) || len(f.args.Reasons) != want.reasons {
			t.Errorf("%.40s: %d %s, asked for %+v", body, w.Code, w.Body, f.args)
		}
		for i, o := range want.outcomes {
			if f.args.Outcomes[i] != o {
				t.Errorf("%s: asked for %+v", body, f.args)
			}
		}
	}
}

func TestSteerPausesResumesAndCancels(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f, ActionToken: token}).Handler()
	if w := post(h, "/api/v1/steer", token, `{"run":"r","state":"paused"}`); w.Code != 200 || f.want.Run != "r" ||
		f.want.State != "paused" {
		t.Errorf("%d, wants %+v", w.Code, f.want)
	}
	for _, body := range []string{`{"run":"gone","state":"paused"}`, `{}`, `[]`} {
		if w := post(h, "/api/v1/steer", token, body); w.Code != 400 {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}

func TestConfigErrorsAreSentences(t *testing.T) {
	f := newFakeSink()
	for name, cfg := range map[string]Config{
		"no source":        {},
		"no token":         {Source: f, Actions: f},
		"a short token":    {Source: f, Actions: f, ActionToken: "1234567"},
		"too many clients": {Source: f, MaxClients: 10_001},
		"too few clients":  {Source: f, MaxClients: -1},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
