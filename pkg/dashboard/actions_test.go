package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func post(h http.Handler, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestActionsOfOtherSitesAreRefused(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f}).Handler()
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"a program":         {nil, 200},
		"another site":      {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another origin":    {[]string{"Origin", "http://evil.example"}, 403},
		"a form's type":     {[]string{"Content-Type", "text/plain"}, 415},
		"with a charset":    {[]string{"Content-Type", "application/json; charset=utf-8"}, 200},
		"the page's origin": {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"/api/v1/retry", "/api/v1/steer"} {
				if w := post(h, target, `{"state":"paused"}`, c.header...); w.Code != c.want {
					t.Errorf("%s: %d %s, not %d", target, w.Code, w.Body, c.want)
				}
			}
		})
	}
}

func TestWithoutActionsNoPostIsAccepted(t *testing.T) {
	h := newDashboard(t, Config{Source: newFakeSink()}).Handler()
	for _, target := range []string{"/api/v1/retry", "/api/v1/steer"} {
		w := post(h, target, `{}`)
		if w.Code != http.StatusMethodNotAllowed || !strings.Contains(w.Body.String(), `{"error":"no such action, or`) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestRetrySelectsByRunOutcomeAndReason(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Actions: f}).Handler()
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
		w := post(h, "/api/v1/retry", body)
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
	h := newDashboard(t, Config{Source: f, Actions: f}).Handler()
	if w := post(h, "/api/v1/steer", `{"run":"r","state":"paused"}`); w.Code != 200 || f.want.Run != "r" ||
		f.want.State != "paused" {
		t.Errorf("%d, wants %+v", w.Code, f.want)
	}
	for _, body := range []string{`{"run":"gone","state":"paused"}`, `{}`, `[]`} {
		if w := post(h, "/api/v1/steer", body); w.Code != 400 {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}

func TestConfigErrorsAreSentences(t *testing.T) {
	f := newFakeSink()
	for name, cfg := range map[string]Config{
		"no source": {},

		"too many clients": {Source: f, MaxClients: 10_001},
		"too few clients":  {Source: f, MaxClients: -1},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
