package telemetry

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forNames protects a server against DNS rebinding: a web site whose name resolves to this machine could otherwise read
// everything through a browser that reaches the server. forNames passes requests to next whose Host is a loopback name,
// one of names, or, with anyAddress, an IP address, which no web site can pass for its name. It refuses all others with
// 421.
func forNames(names []string, anyAddress bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !usual(r.Host, names, anyAddress) {
			http.Error(w, "unknown Host: name it with --http-host", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// usual reports whether the host of a Host header, which browsers always send, is a loopback address, localhost, one of
// names, or, with anyAddress, any IP address.
func usual(host string, names []string, anyAddress bool) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if address, err := netip.ParseAddr(name); err == nil &&
		(anyAddress || address.IsLoopback() || address.IsUnspecified()) { // 0.0.0.0 reaches this machine, too
		return true
	}
	return name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
