package telemetry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxHealthAnswer bounds, in bytes, what Health reads of an answer.
const maxHealthAnswer = 4 << 10

// Health asks a role whether it is ready and returns nil if it answered 200. The target is an URL
// (http://sink:8080/readyz) or a listen address (127.0.0.1:8080, :8080), for which /readyz is asked. The error says
// what was answered, in the role's own words. The context bounds the whole exchange; proxies are not used and
// redirections not followed.
func Health(ctx context.Context, target string) error {
	url := healthURL(target)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health target %q: %w", target, err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // a nil Proxy: the role is beside us, never behind one
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	words, err := io.ReadAll(io.LimitReader(response.Body, maxHealthAnswer))
	if err != nil {
		return fmt.Errorf("health: %s answered %s, and its reasons could not be read: %w", url, response.Status, err)
	}
	return fmt.Errorf("health: %s answered %s: %s", url, response.Status, strings.TrimSpace(string(words)))
}

func healthURL(target string) string {
	if strings.Contains(target, "://") {
		return target
	}
	address, path, found := strings.Cut(target, "/")
	if !found {
		path = "readyz"
	}
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	return "http://" + address + "/" + path
}
