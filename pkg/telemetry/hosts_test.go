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

// mustAnswer asks for a URL with each Host, and checks the status.
func mustAnswer(t *testing.T, url string, statuses map[string]int) {
	t.Helper()
	for host, want := range statuses {
		if status := statusOf(t, url, host); status != want {
			t.Errorf("%q asked for %s has status %d, not %d", host, url, status, want)
		}
	}
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
	statuses := map[string]int{
		"": 200, "localhost": 200, "LocalHost:8080": 200, "a.localhost.": 200, "127.0.0.1:1": 200, "127.1.2.3": 200,
		"[::1]:8080": 200, "[::1]": 200, "0.0.0.0:1": 200, "[::]:8080": 200,
		"photos.example": 200, "Photos.Example:443": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421,
		"127.0.0.1.evil.example": 421, "192.0.2.1": 421, "xlocalhost": 421,
	}
	mustAnswer(t, url+"/", statuses)
	mustAnswer(t, url+"/metrics", statuses)
}

// What listens on all addresses is there for others: this machine may have any name for them.
func TestOtherAddressesAnswerAnyName(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0"})
	metrics := strings.Replace(url, "[::]", "127.0.0.1", 1) + "/metrics"
	mustAnswer(t, metrics, map[string]int{"atelier.example": 200})
}

// Found: a sink that was bound to 0.0.0.0 answered any Host although --http-host named one.
func TestOtherAddressesAnswerNamedHostsOnlyIfThereAreAny(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0", Hosts: []string{"photos.example"}})
	metrics := strings.Replace(url, "[::]", "127.0.0.1", 1) + "/metrics"
	mustAnswer(t, metrics, map[string]int{
		"photos.example": 200, "192.0.2.1:8080": 200, "localhost": 200, "evil.example": 421,
		"photos.example.evil.example": 421,
	})
}
