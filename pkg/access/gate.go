package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/account"
	"github.com/imagefarm/imagefarm/pkg/httpreply"
	"github.com/imagefarm/imagefarm/pkg/pki"
)

// Gate lets requests through that have the token of a viewer or an operator. Programs send it as a bearer token. A
// browser sends it once, by a form, and gets a cookie that neither scripts nor other sites can use.
type Gate struct {
	list  *List
	log   *slog.Logger
	key   []byte // of the cookies; new each time the process starts
	cross *http.CrossOriginProtection
}

// sessionLength is how long a cookie admits a browser, unless its token expires before.
const sessionLength = 12 * time.Hour

// NewGate returns a gate that admits the holders of tokens. It logs each login and each wrong token, so that log should
// bound their lines.
func NewGate(list *List, log *slog.Logger) *Gate {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{list: list, log: log, key: make([]byte, 32), cross: http.NewCrossOriginProtection()}
	_, _ = rand.Read(g.key) // never fails
	return g
}

//go:embed login.html
var loginPage []byte

// loginPolicy lets the form load the page's style, and nothing else.
const loginPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; " +
	"frame-ancestors 'none'"

// Page is the gate around a page and its interface for programs. It adds POST /login, POST /logout and GET /api/v1/me.
// Whatever below /page/ is public.
func (g *Gate) Page(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", g.login)
	mux.HandleFunc("POST /logout", g.logout)
	mux.Handle("GET /page/", next)
	mux.Handle("GET /api/v1/me", g.Programs(http.HandlerFunc(me)))
	mux.Handle("/", g.around(next, true))
	return mux
}

// Programs is the gate around what only programs ask for, such as metrics.
func (g *Gate) Programs(next http.Handler) http.Handler { return g.around(next, false) }

type holderKey struct{}

// Holder returns whose token a request had.
func Holder(ctx context.Context) (t Token, ok bool) {
	t, ok = ctx.Value(holderKey{}).(Token)
	return t, ok
}

func (g *Gate) around(next http.Handler, forms bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		t, ok := g.holder(r)
		switch {
		case !ok && reads && forms && r.URL.Path == "/":
			g.form(w, http.StatusUnauthorized, "")
		case !ok:
			g.missing(w, r)
		case t.Role != pki.Operator && t.Role != pki.Viewer:
			httpreply.Refuse(w, http.StatusForbidden, "a "+t.Role+"'s token admits to the tunnel only")
		case !reads && g.cross.Check(r) != nil:
			httpreply.Refuse(w, http.StatusForbidden, "the request comes from another site")
		case !reads && t.Role != pki.Operator:
			httpreply.Refuse(w, http.StatusForbidden, "a viewer may only look; this needs an operator's token")
		default:
			w.Header().Add("Vary", "Authorization, Cookie")
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), holderKey{}, t)))
		}
	})
}

// holder returns whose token or cookie a request has.
func (g *Gate) holder(r *http.Request) (Token, bool) {
	if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return g.list.Find(secret)
	}
	if cookie, err := r.Cookie(cookieName(r)); err == nil {
		return g.session(cookie.Value)
	}
	return Token{}, false
}

// missing answers a request without a right token.
func (g *Gate) missing(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" && g.missed(r) {
		w.Header().Set("Retry-After", "60")
		httpreply.Refuse(w, http.StatusTooManyRequests, "too many wrong tokens; wait a minute")
		return
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	httpreply.Refuse(w, http.StatusUnauthorized,
		"the token is missing, wrong or expired: send Authorization: Bearer TOKEN")
}

// missed counts a wrong token. A right one is never refused because of wrong ones: users behind one proxy share an
// account, and at 256 bits the limit keeps nobody from guessing a token. It spares the log.
func (g *Gate) missed(r *http.Request) (tooMany bool) {
	from := account.OfRemote(r.RemoteAddr)
	if g.list.guesses.miss(from, time.Now()) {
		return true
	}
	g.log.Warn("refused a wrong or expired token", "from", from, "path", r.URL.Path) // the token is never logged
	return false
}

func (g *Gate) login(w http.ResponseWriter, r *http.Request) {
	if g.cross.Check(r) != nil {
		httpreply.Refuse(w, http.StatusForbidden, "the request comes from another site")
		return
	}
	t, ok := g.list.Find(strings.TrimSpace(r.PostFormValue("token")))
	switch {
	case !ok && g.missed(r):
		w.Header().Set("Retry-After", "60")
		g.form(w, http.StatusTooManyRequests, "Too many wrong tokens. Wait a minute.")
	case !ok:
		g.form(w, http.StatusUnauthorized, "This token is wrong or has expired.")
	case t.Role != pki.Operator && t.Role != pki.Viewer:
		g.form(w, http.StatusForbidden, "This token is for the tunnel only.")
	default:
		until := time.Now().Add(sessionLength)
		if t.Expires.Before(until) {
			until = t.Expires
		}
		http.SetCookie(w, g.cookie(r, g.seal(t, until)))
		g.log.Info("signed in", "role", t.Role, "name", t.Name, "from", account.OfRemote(r.RemoteAddr))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (g *Gate) logout(w http.ResponseWriter, r *http.Request) {
	if g.cross.Check(r) != nil {
		httpreply.Refuse(w, http.StatusForbidden, "the request comes from another site")
		return
	}
	gone := g.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (g *Gate) form(w http.ResponseWriter, status int, problem string) {
	h := w.Header()
	h.Set("Content-Security-Policy", loginPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(strings.Replace(string(loginPage), "{{problem}}", problem, 1))) // of this package's own texts
}

// cookieName returns the name of the cookie. Over HTTPS its prefix keeps other hosts of the domain from setting it.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-imagefarm"
	}
	return "imagefarm"
}

func (g *Gate) cookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/",
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
}

// seal returns the value of a cookie: the hash of a token and a time, with a code that only this process can make.
// Nobody learns a token from a cookie, and a token that is no longer stored admits nobody.
func (g *Gate) seal(t Token, until time.Time) string {
	what := base64.RawURLEncoding.EncodeToString(t.hash[:]) + "." + strconv.FormatInt(until.Unix(), 10)
	return what + "." + base64.RawURLEncoding.EncodeToString(g.code(what))
}

func (g *Gate) code(what string) []byte {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(what))
	return mac.Sum(nil)
}

// session returns whose cookie it is.
func (g *Gate) session(value string) (Token, bool) {
	i := strings.LastIndexByte(value, '.')
	if i < 0 {
		return Token{}, false
	}
	code, err := base64.RawURLEncoding.DecodeString(value[i+1:])
	if err != nil || !hmac.Equal(code, g.code(value[:i])) {
		return Token{}, false
	}
	hash64, until, _ := strings.Cut(value[:i], ".")
	seconds, err := strconv.ParseInt(until, 10, 64)
	raw, err2 := base64.RawURLEncoding.DecodeString(hash64)
	if err != nil || err2 != nil || len(raw) != sha256.Size || time.Now().Unix() >= seconds {
		return Token{}, false
	}
	return g.list.find([sha256.Size]byte(raw))
}

// me tells whose token a request has, so that the page offers only what its holder may do.
func me(w http.ResponseWriter, r *http.Request) {
	t, _ := Holder(r.Context())
	httpreply.JSON(w, http.StatusOK, map[string]any{"role": t.Role, "name": t.Name, "expires": t.Expires})
}
