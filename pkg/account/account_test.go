package account

import "testing"

func TestAccountIsTheAddressOrTheNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7", "[::1]:1": "::1",
		"[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64", "@": "@", "host:1": "host",
	} {
		if got := OfRemote(remote); got != want {
			t.Errorf("%s: %s, not %s", remote, got, want)
		}
	}
}
