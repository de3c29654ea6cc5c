package cli

import "testing"

func TestPrintedAddressesCanBeOpened(t *testing.T) {
	for bound, want := range map[string]string{
		"0.0.0.0:8080":   "127.0.0.1:8080",
		"[::]:8080":      "127.0.0.1:8080",
		"127.0.0.1:8080": "127.0.0.1:8080",
		"10.1.2.3:80":    "10.1.2.3:80",
		"[::1]:8080":     "[::1]:8080",
	} {
		if got := dialable(bound); got != want {
			t.Errorf("bound to %s the message says %s, not %s", bound, got, want)
		}
	}
}
