package telemetry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxHealthAnswer is the number of bytes that Health reads of an answer.
const maxHealthAnswer = 4 << 10

// Health asks a role whether it is ready, and returns nil if the role answers 200. The target is a URL
// (http://sink:8080/readyz) or a listen address (127.0.0.1:8080, :8080), whose /readyz it requests. The error quotes
// the answer. The context bounds the whole exchange. Health uses no proxy and follows no redirection. secure, which
// may be nil, says whom an https URL trusts.
func Health(ctx context.Context, target string, secure *tls.Config) error {
	url := healthURL(target)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health target %q: %w", target, err)
	}
	client := &http.Client{
		// Without a proxy: the role is on this machine
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure},
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
		return fmt.Errorf("health: %s answered %s; cannot read its reasons: %w", url, response.Status, err)
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
