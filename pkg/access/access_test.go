package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/reload"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// issued is a list of tokens, and their secrets by role.
func issued(t *testing.T, roles ...string) (*List, map[string]string) {
	t.Helper()
	secrets := make(map[string]string)
	var lines []string
	for _, role := range roles {
		secret, token, err := Issue(role, "anna", time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		secrets[role] = secret
		lines = append(lines, token.String())
	}
	list, err := Open(Config{Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	return list, secrets
}

func TestStoredLineHoldsNoSecret(t *testing.T) {
	secret, token, err := Issue(pki.Viewer, "anna", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	line := token.String()
	if strings.Contains(line, strings.TrimPrefix(secret, Begin)) || len(secret) < 43 {
		t.Errorf("%s, %s", secret, line)
	}
	back, err := Parse(line)
	if err != nil || back != token {
		t.Errorf("%+v became %+v, %v", token, back, err)
	}
}

func TestWrongLinesAreNamed(t *testing.T) {
	_, token, _ := Issue(pki.Viewer, "anna", time.Now())
	right := token.String()
	for line, want := range map[string]string{
		"":                 "no token",
		"# only a comment": "no token",
		"x":                "line 1",
		right + "\nviewer": "line 2",
		strings.Replace(right, "viewer", "king", 1):  "king",
		strings.Replace(right, "viewer", "sink", 1):  "sink",
		strings.Replace(right, "anna", "An:na", 1):   "An:na",
		strings.Replace(right, "sha256:", "md5:", 1): "hash",
		right + "00": "hash",
		strings.Replace(right, "Z sha", " sha", 1): "no time",
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{File: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestTokensExpireAndAreTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		store := func(tokens ...Token) {
			text := "# people\n"
			for _, token := range tokens {
				text += token.String() + " # a comment\n"
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		short, one, _ := Issue(pki.Viewer, "anna", time.Now().Add(time.Minute))
		long, two, _ := Issue(pki.Operator, "bert", time.Now().Add(time.Hour))
		store(one, two)
		list, err := Open(Config{File: path})
		if err != nil {
			t.Fatal(err)
		}
		found := func(secret string) bool {
			_, ok := list.Find(secret)
			return ok
		}
		if !found(short) || !found(long) || found("") || found(Begin) || found(long+"x") || found(two.String()) {
			t.Error("a right token is refused, or a wrong one admitted")
		}
		time.Sleep(time.Minute)
		if found(short) || !found(long) {
			t.Error("a token does not end at its time")
		}
		store(one)
		time.Sleep(reload.Every)
		if found(long) {
			t.Error("a token that was taken back still admits")
		}
		store()
		time.Sleep(reload.Every)
		store(two)
		time.Sleep(reload.Every)
		if !found(long) {
			t.Error("a token that was stored while the farm ran does not admit")
		}
	})
}

// page is what the gate guards.
func page(t *testing.T, g *Gate) http.Handler {
	return g.Page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := Holder(r.Context()); !ok && !strings.HasPrefix(r.URL.Path, "/page/") {
			t.Errorf("%s came through without a holder", r.URL.Path)
		}
		_, _ = io.WriteString(w, "the page")
	}))
}

func call(h http.Handler, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func bearer(secret string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
}

func TestRolesMayDoWhatTheyAreFor(t *testing.T) {
	list, secrets := issued(t, pki.Viewer, pki.Operator, pki.Worker)
	h := page(t, NewGate(list, nil))
	for _, c := range []struct {
		role, method, path string
		want               int
	}{
		{"", "GET", "/", 401}, {"", "GET", "/api/v1/run", 401},
		{"", "GET", "/outputs/a.jpg", 401}, {"", "GET", "/live", 401},
		{"", "POST", "/api/v1/retry", 401}, {"", "GET", "/api/v1/me", 401}, {"", "GET", "/page/style.css", 200},
		{pki.Viewer, "GET", "/", 200}, {pki.Viewer, "GET", "/outputs/a.jpg", 200}, {pki.Viewer, "HEAD", "/", 200},
		{pki.Viewer, "POST", "/api/v1/retry", 403}, {pki.Viewer, "DELETE", "/", 403},
		{pki.Operator, "GET", "/", 200}, {pki.Operator, "POST", "/api/v1/retry", 200},
		{pki.Worker, "GET", "/", 403}, {pki.Worker, "POST", "/api/v1/retry", 403},
	} {
		var change func(*http.Request)
		if c.role != "" {
			change = bearer(secrets[c.role])
		}
		if w := call(h, c.method, c.path, change); w.Code != c.want {
			t.Errorf("%s %s of %q: %d, not %d", c.method, c.path, c.role, w.Code, c.want)
		}
	}
	w := call(h, "GET", "/api/v1/me", bearer(secrets[pki.Viewer]))
	if !strings.Contains(w.Body.String(), `"role":"viewer"`) {
		t.Error(w.Body)
	}
	foreign := func(r *http.Request) {
		bearer(secrets[pki.Operator])(r)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	if w := call(h, "POST", "/api/v1/retry", foreign); w.Code != http.StatusForbidden {
		t.Errorf("another site's request: %d", w.Code)
	}
}

func TestBrowserSignsInOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, secrets := issued(t, pki.Operator)
		g := NewGate(list, nil)
		h := page(t, g)
		form := func(secret string, change func(*http.Request)) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", "/login", strings.NewReader(url.Values{"token": {secret}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if change != nil {
				change(r)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		if w := call(h, "GET", "/", nil); !strings.Contains(w.Body.String(), `action="/login"`) {
			t.Error("there is no form")
		}
		if w := form("wrong", nil); w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 {
			t.Errorf("a wrong token: %d", w.Code)
		}
		foreign := func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }
		if w := form(secrets[pki.Operator], foreign); w.Code != http.StatusForbidden {
			t.Errorf("another site's form: %d", w.Code)
		}
		w := form(secrets[pki.Operator], nil)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || len(w.Result().Cookies()) != 1 {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
		cookie := w.Result().Cookies()[0]
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure ||
			strings.Contains(cookie.Value, strings.TrimPrefix(secrets[pki.Operator], Begin)) {
			t.Errorf("the cookie is %+v", cookie)
		}
		over := httptest.NewRequest("POST", "https://farm.example/login",
			strings.NewReader(url.Values{"token": {secrets[pki.Operator]}}.Encode()))
		over.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w = httptest.NewRecorder()
		h.ServeHTTP(w, over)
		if c := w.Result().Cookies()[0]; !c.Secure || c.Name != "__Host-imagefarm" {
			t.Errorf("over HTTPS the cookie is %+v", c)
		}

		with := func(value string) int {
			return call(h, "POST", "/api/v1/steer", func(r *http.Request) {
				r.AddCookie(&http.Cookie{Name: "imagefarm", Value: value})
			}).Code
		}
		if code := with(cookie.Value); code != http.StatusOK {
			t.Errorf("with the cookie: %d", code)
		}
		parts := strings.Split(cookie.Value, ".")
		for _, forged := range []string{
			"", ".", "..", parts[0] + ".99999999999." + parts[2], cookie.Value + "A", cookie.Value[1:],
			NewGate(list, nil).seal(list.files.Current()[0], time.Now().Add(time.Hour)),
		} {
			if code := with(forged); code != http.StatusUnauthorized {
				t.Errorf("with the cookie %q: %d", forged, code)
			}
		}
		if w := call(h, "POST", "/logout", nil); w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
			t.Errorf("after signing out: %d %v", w.Code, w.Header())
		}
		time.Sleep(time.Hour)
		if code := with(cookie.Value); code != http.StatusUnauthorized {
			t.Errorf("after the token has expired: %d", code)
		}
	})
}

// Found: twenty wrong tokens locked the right one out, wherever they came from.
func TestWrongTokensLockNobodyOut(t *testing.T) {
	list, secrets := issued(t, pki.Viewer)
	var said bytes.Buffer
	h := page(t, NewGate(list, slog.New(slog.NewTextHandler(&said, nil))))
	from := func(address, secret string) int {
		return call(h, "GET", "/api/v1/run", func(r *http.Request) {
			r.RemoteAddr = address + ":4711"
			bearer(secret)(r)
		}).Code
	}
	for range maxGuesses {
		if code := from("192.0.2.1", "guessed secret"); code != http.StatusUnauthorized {
			t.Fatal(code)
		}
	}
	lines := strings.Count(said.String(), "\n")
	if code := from("192.0.2.1", "guessed secret"); code != http.StatusTooManyRequests {
		t.Errorf("one more guess: %d", code)
	}
	if code := from("192.0.2.2", "guessed secret"); code != http.StatusUnauthorized {
		t.Errorf("a first guess from elsewhere: %d", code)
	}
	for _, address := range []string{"192.0.2.1", "192.0.2.2"} {
		if code := from(address, secrets[pki.Viewer]); code != http.StatusOK {
			t.Errorf("the right token from %s: %d", address, code)
		}
	}
	if strings.Contains(said.String(), "guessed secret") || strings.Contains(said.String(), secrets[pki.Viewer]) {
		t.Error("a token is in the log")
	}
	if more := strings.Count(said.String(), "\n"); lines != maxGuesses || more != lines+1 {
		t.Errorf("%d lines, then %d", lines, more)
	}
}

// Found: wrong passwords by PLAIN could be tried as fast as connections could be made; only the log was spared.
func TestWrongPasswordsLockTheirAddressForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, secrets := issued(t, pki.Worker)
		try := func(account, secret string) error {
			_, err := list.Principal("anna", secret, account)
			return err
		}
		h := page(t, NewGate(list, nil))
		for range 2 * maxGuesses { // those over HTTP lock no program out; they come from 192.0.2.1, too
			call(h, "GET", "/api/v1/run", bearer("guessed secret"))
		}
		for minute := range 3 {
			for i := range maxGuesses {
				if err := try("192.0.2.1", fmt.Sprint("guess ", i)); !errors.Is(err, errPassword) {
					t.Fatalf("guess %d of minute %d: %v", i, minute, err)
				}
				if err := try("192.0.2.1", secrets[pki.Worker]); err != nil && i < maxGuesses-1 {
					t.Fatalf("the right password after guess %d: %v", i, err)
				}
			}
			for second := range guessesSpan / time.Second { // attempts meanwhile do not prolong it
				for _, secret := range []string{"guess 0", secrets[pki.Worker]} {
					if err := try("192.0.2.1", secret); !errors.Is(err, zsock.ErrGuessing) {
						t.Fatalf("second %d of minute %d: %v", second, minute, err)
					}
				}
				if err := try("192.0.2.2", secrets[pki.Worker]); err != nil {
					t.Fatalf("the right password from elsewhere: %v", err)
				}
				time.Sleep(time.Second)
			}
			time.Sleep(time.Second)
			if err := try("192.0.2.1", secrets[pki.Worker]); err != nil {
				t.Errorf("the right password after minute %d: %v", minute, err)
			}
		}
	})
}

// However many passwords are tried at once, no more than maxGuesses are checked.
func TestPasswordsTriedAtOnceAreBounded(t *testing.T) {
	list, _ := issued(t, pki.Worker)
	var checked atomic.Int32
	var all sync.WaitGroup
	for i := range 10 * maxGuesses {
		all.Go(func() {
			if _, err := list.Principal("anna", fmt.Sprint("guess ", i), "192.0.2.1"); errors.Is(err, errPassword) {
				checked.Add(1)
			}
		})
	}
	all.Wait()
	if checked.Load() != maxGuesses {
		t.Errorf("%d passwords were checked", checked.Load())
	}
}

// Found: a program with an expired token, restarted in a loop, kept all others of its address from connecting.
func TestOneWrongPasswordCountsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, secrets := issued(t, pki.Worker)
		try := func(user, secret string) error {
			_, err := list.Principal(user, secret, "192.0.2.1")
			return err
		}
		for range 10 * maxGuesses {
			if err := try("anna", "expired"); !errors.Is(err, errPassword) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		for range maxGuesses + 1 {
			if err := try("anna", "expired"); !errors.Is(err, errPassword) {
				t.Fatal(err)
			}
		}
		if err := try("anna", secrets[pki.Worker]); err != nil {
			t.Errorf("the right password beside an expired one: %v", err)
		}
		for i := range maxGuesses - 1 { // of a name, with a good password
			if err := try(fmt.Sprint("bert ", i), secrets[pki.Worker]); !errors.Is(err, errPassword) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if err := try("anna", secrets[pki.Worker]); !errors.Is(err, zsock.ErrGuessing) {
			t.Errorf("after all guesses: %v", err)
		}
	})
}

func TestGuessersAreBounded(t *testing.T) {
	var g guesses
	now := time.Now()
	for i := range 3 * maxGuessers {
		g.miss(strings.Repeat("x", i%7)+time.Duration(i).String(), now)
	}
	if len(g.of) > maxGuessers {
		t.Errorf("%d accounts are remembered", len(g.of))
	}
}
