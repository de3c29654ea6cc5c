package telemetry

import (
	"net/http"
	"strings"
	"testing"
)

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
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = host
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%q asked for %s has status %d, not %d", host, path, answer.StatusCode, want)
			}
		}
	}
}

// What listens on all addresses is there for others: this machine may have any name for them.
func TestOtherAddressesAnswerAnyName(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0"})
	request, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		strings.Replace(url, "[::]", "127.0.0.1", 1)+"/metrics",
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "atelier.example"
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// Found: a sink that was bound to 0.0.0.0 answered any Host although --http-host named one.
func TestOtherAddressesAnswerNamedHostsOnlyIfThereAreAny(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{Addr: "0.0.0.0:0", Hosts: []string{"photos.example"}})
	for host, want := range map[string]int{
		"photos.example": 200, "192.0.2.1:8080": 200, "localhost": 200, "evil.example": 421,
		"photos.example.evil.example": 421,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			strings.Replace(url, "[::]", "127.0.0.1", 1)+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s has status %d, not %d", host, answer.StatusCode, want)
		}
	}
}
