package telemetry

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forNames is for a server that listens on a loopback address, and so is meant for this machine alone. It passes on to next
// what is asked of it by one of its usual names or by one of names, and refuses the rest with 421: a site whose name was made to
// lead to this machine (DNS rebinding) could otherwise read everything through the browser of somebody who works here.
func forNames(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !usual(r.Host, names) {
			http.Error(w, "asked by another name than localhost: a proxy's must be given with --http-host", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// usual reports whether host, of a Host header, is a loopback address, localhost, or one of names. Browsers always send it.
func usual(host string, names []string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if address, err := netip.ParseAddr(name); err == nil && (address.IsLoopback() || address.IsUnspecified()) { // what 0.0.0.0 leads to
		return true
	}
	return name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
