package telemetry

import (
	"net/http"
	"strings"
	"testing"
)

// statusOf asks for a path with that Host.
func statusOf(t *testing.T, url, host string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestLoopbackAddressAnswersItsOwnNamesOnly(t *testing.T) {
	_, url, _ := runAdmin(
		t,
		AdminConfig{
			Hosts: []string{"photos.example"},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("names of photos"))
			}),
		},
	)
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LocalHost:8080": 200, "a.localhost.": 200, "127.0.0.1:1": 200, "127.1.2.3": 200,
		"[::1]:8080": 200, "[::1]": 200, "0.0.0.0:1": 200, "[::]:8080": 200,
		"photos.example": 200, "Photos.Example:443": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421,
		"127.0.0.1.evil.example": 421, "192.0.2.1": 421, "xlocalhost": 421,
	} {
		for _, path := range []string{"/", "/metrics"} {
			if status := statusOf(t, url+path, host); status != want {
				t.Errorf("%q asked for %s has status %d, not %d", host, path, status, want)
			}
		}
	}
}

// What listens on all addresses is there for others: this machine may have any name for them.
func TestOtherAddressesAnswerAnyName(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0"})
	metrics := strings.Replace(url, "[::]", "127.0.0.1", 1) + "/metrics"
	if status := statusOf(t, metrics, "atelier.example"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

// Found: a sink that was bound to 0.0.0.0 answered any Host although --http-host named one.
func TestOtherAddressesAnswerNamedHostsOnlyIfThereAreAny(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0", Hosts: []string{"photos.example"}})
	metrics := strings.Replace(url, "[::]", "127.0.0.1", 1) + "/metrics"
	for host, want := range map[string]int{
		"photos.example": 200, "192.0.2.1:8080": 200, "localhost": 200, "evil.example": 421,
		"photos.example.evil.example": 421,
	} {
		if status := statusOf(t, metrics, host); status != want {
			t.Errorf("%s has status %d, not %d", host, status, want)
		}
	}
}
