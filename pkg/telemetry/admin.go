package telemetry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Bounds on what a client may use. The server has no write timeout, as a mounted handler may stream for hours: what is
// bounded is the time in which a client takes a part of an answer (crowd.go).
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxConns      = 512
	maxHeader     = 64 << 10
	maxBody       = 1 << 20
	maxScrapes    = 8
)

// AdminConfig configures the HTTP server of a role.
type AdminConfig struct {
	// Addr is the address, as host:port, of /healthz, /readyz, /metrics and Handler. Port 0 means any free port. Empty
	// means that the role serves no HTTP.
	Addr string

	// DebugAddr is the address of net/http/pprof. It differs from Addr, since profiles reveal and cost more than a page
	// should. Empty means that profiles are not served.
	DebugAddr string

	// Hosts are further names that requests may carry in Host. A loopback address answers to localhost, to loopback
	// addresses and to these: those of a proxy on this machine that forwards its own Host. Other addresses answer to any
	// name if there are none, otherwise to the same and to any IP address.
	Hosts []string

	// MaxConns is the largest number of connections of each address at the same time; one client address has at most
	// three quarters of them. When there are more, idle ones are closed. 0 means 512.
	MaxConns int

	// TLS makes every address HTTPS that other machines can reach. Loopback addresses stay HTTP. Nil means HTTP
	// everywhere.
	TLS *tls.Config

	// Gatherer is what /metrics shows, usually the registry of NewRegistry. Required when Addr is set.
	Gatherer prometheus.Gatherer

	// MetricsGate is around /metrics, to ask for a token. Nil means that anybody may read them.
	MetricsGate func(http.Handler) http.Handler

	// Ready returns nil when the role can do its work, otherwise an error with the reasons, which /readyz answers with
	// status 503. The server calls it for each request, from several goroutines; it must not block. Nil means ready as
	// soon as the server runs.
	Ready func() error

	// Handler answers all other paths, such as the sink's live page. Bodies of its requests are limited to 1 MiB. Their
	// contexts end when the server stops, so that streams do not delay the stop. A client that takes less than 16 KiB of
	// an answer in 10 s is disconnected. Nil means 404, and a list of the endpoints on "/".
	Handler http.Handler

	// Logger logs errors of serving. Nil means no logging.
	Logger *slog.Logger

	// StopTimeout bounds how long open requests may take after the server was stopped. 0 means 5 s.
	StopTimeout time.Duration
}

// Validate returns an error that names the first invalid field, and why it is invalid.
func (c AdminConfig) Validate() error {
	for _, a := range []struct{ field, addr string }{{"http address", c.Addr}, {"debug address", c.DebugAddr}} {
		if a.addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(a.addr)
		if err == nil {
			_, err = new(net.Resolver).LookupPort(context.Background(), "tcp", port)
		}
		if err != nil {
			return fmt.Errorf("%s is %q: it must be host:port, such as 127.0.0.1:8080", a.field, a.addr)
		}
	}
	if c.Addr != "" && c.Addr == c.DebugAddr && !anyPort(c.Addr) {
		return fmt.Errorf("debug address is %q: it must differ from the http address", c.DebugAddr)
	}
	if c.Addr != "" && c.Gatherer == nil {
		return fmt.Errorf("gatherer is missing: /metrics needs one")
	}
	if c.MaxConns < 0 {
		return fmt.Errorf("max connections is %d: it must not be negative", c.MaxConns)
	}
	if c.StopTimeout < 0 {
		return fmt.Errorf("stop timeout is %s: it must not be negative", c.StopTimeout)
	}
	return nil
}

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// Admin is the HTTP server of a role. Call Listen, then Run, once each.
type Admin struct {
	cfg     AdminConfig
	servers []*adminServer
}

// adminServer is one address: the pages or the profiles.
type adminServer struct {
	addr     string
	handler  http.Handler
	listener net.Listener
}

// NewAdmin returns a server. It binds and starts nothing.
func NewAdmin(c AdminConfig) (*Admin, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 5 * time.Second
	}
	if c.MaxConns == 0 {
		c.MaxConns = maxConns
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Admin{cfg: c}
	if c.Addr != "" {
		a.servers = append(a.servers, &adminServer{addr: c.Addr, handler: a.pages()})
	}
	if c.DebugAddr != "" {
		a.servers = append(a.servers, &adminServer{addr: c.DebugAddr, handler: profiles()})
	}
	return a, nil
}

// Listen binds the addresses. It returns Addr with the port that the system chose for port 0, or "" if Addr is empty.
// When it cannot bind one address, it binds none. A second call returns the address only.
func (a *Admin) Listen() (addr string, err error) {
	for _, s := range a.servers {
		if s.listener != nil {
			continue
		}
		if s.listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", s.addr); err != nil {
			a.Close()
			return "", fmt.Errorf("cannot serve HTTP on %s: %w", s.addr, err)
		}
	}
	if a.cfg.Addr == "" {
		return "", nil
	}
	return a.servers[0].listener.Addr().String(), nil
}

// DebugAddr returns the address of the profiles after Listen, or "" if they are not served.
func (a *Admin) DebugAddr() string {
	if a.cfg.DebugAddr == "" {
		return ""
	}
	if l := a.servers[len(a.servers)-1].listener; l != nil {
		return l.Addr().String()
	}
	return ""
}

// Close releases the addresses of Listen, for a program that ends before Run. After Run it does nothing.
func (a *Admin) Close() {
	for _, s := range a.servers {
		if s.listener != nil {
			s.listener.Close()
			s.listener = nil
		}
	}
}

// Run serves until the context ends, lets open requests finish within StopTimeout, and returns nil. It returns an error
// when serving fails. It calls Listen if the caller has not. Without any address it only waits for the context.
func (a *Admin) Run(ctx context.Context) error {
	if _, err := a.Listen(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range a.servers {
		group.Go(func() error { return a.serve(ctx, s) })
	}
	group.Go(func() error { <-ctx.Done(); return nil })
	return group.Wait()
}

func (a *Admin) serve(ctx context.Context, s *adminServer) error {
	handler := s.handler
	if local := onLoopback(s.listener); local || len(a.cfg.Hosts) > 0 {
		handler = forNames(a.cfg.Hosts, !local, handler)
	}
	warned := time.Time{} // written by the accepting goroutine
	listener := newCrowd(s.listener, a.cfg.MaxConns, func(account string, of int) {
		if now := time.Now(); now.Sub(warned) >= time.Minute {
			warned = now
			a.cfg.Logger.Warn("too many HTTP connections; idle ones are closed, further ones are refused", "addr", s.addr,
				"limit", a.cfg.MaxConns, "account", account, "of account", of)
		}
	})
	var protocols http.Protocols // without HTTP/2, whose connections carry hundreds of requests each
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           bounded(handler),
		Protocols:         &protocols,
		ConnContext:       remember,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(a.cfg.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() {
		if a.secure(s.listener) {
			server.TLSConfig = a.cfg.TLS
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()

	select {
	case err := <-served:
		return fmt.Errorf("cannot serve HTTP on %s: %w", s.addr, err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.StopTimeout)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		a.cfg.Logger.Warn("closed HTTP requests that did not end in time", "addr", s.addr, "after", a.cfg.StopTimeout)
		server.Close()
	}
	<-served
	return nil
}

// secure reports whether a listener's address is served by HTTPS.
func (a *Admin) secure(l net.Listener) bool { return a.cfg.TLS != nil && !onLoopback(l) }

// onLoopback reports whether only this machine reaches a listener.
func onLoopback(l net.Listener) bool {
	at, ok := l.Addr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// Scheme returns "https" or "http" after Listen: how Addr is served.
func (a *Admin) Scheme() string {
	if a.cfg.Addr != "" && a.servers[0].listener != nil && a.secure(a.servers[0].listener) {
		return "https"
	}
	return "http"
}

func (a *Admin) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", http.HandlerFunc(alive))
	mux.Handle("GET /readyz", http.HandlerFunc(a.ready))
	metrics := promhttp.HandlerFor(a.cfg.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(a.cfg.Logger.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})
	if a.cfg.MetricsGate != nil {
		metrics = a.cfg.MetricsGate(metrics)
	}
	mux.Handle("GET /metrics", metrics)
	if a.cfg.Handler != nil {
		mux.Handle("/", a.cfg.Handler)
	} else {
		mux.Handle("GET /{$}", http.HandlerFunc(index))
	}
	return mux
}

func alive(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }

func index(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "imagefarm "+Version()+"\n\n/healthz\n/readyz\n/metrics\n")
}

func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Context().Err() != nil:
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
	case a.cfg.Ready == nil:
		writeText(w, http.StatusOK, "ok\n")
	default:
		if err := a.cfg.Ready(); err != nil {
			writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
		writeText(w, http.StatusOK, "ok\n")
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that has disconnected needs no answer
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
