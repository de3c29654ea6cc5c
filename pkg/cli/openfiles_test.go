package cli

import (
	"strings"
	"testing"
)

func TestLowLimitOfOpenFilesIsRefusedWithAdvice(t *testing.T) {
	for _, c := range []struct {
		limit    uint64
		slots    int
		isolated bool
		want     string // empty: it is enough
	}{
		{24, 2, true, "may open 24 files at once; with 2 slots it needs 46: " +
			"raise the limit (ulimit -n 1024), or lower --slots"},
		{24, 0, true, "with 4 slots it needs 62"},
		{37, 1, true, "with 1 slots it needs 38: raise the limit (ulimit -n 1024)"},
		{38, 1, true, ""}, {30, 64, false, ""}, {0, 1024, true, ""}, {1024, 64, true, ""},
	} {
		err := refuseFewFiles(c.limit, filesOfRun, c.slots, 4, c.isolated)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPeersLeaveFilesToTheFarm(t *testing.T) {
	for limit, want := range map[uint64][2]int{
		0: {0, 0}, 1 << 40: {1152, 1152}, 4096: {853, 1152}, 1024: {213, 640}, 256: {53, 160}, 10: {8, 8},
	} {
		if got := [2]int{peerConns(limit, socketsOfSink), peerConns(limit, socketsOfVentilator)}; got != want {
			t.Errorf("of %d files, peers may have %v at each socket of a sink and a ventilator, not %v", limit, got, want)
		}
	}
}

func TestTunnelStaysWithinItsFiles(t *testing.T) {
	for limit, want := range map[uint64]int{0: 256, 1 << 20: 256, 1024: 256, 256: 80, 10: 8} {
		if n := tunnelConns(limit, 256); n != want {
			t.Errorf("of %d files, a tunnel may carry %d connections, not %d", limit, n, want)
		}
	}
}

func TestHTTPLeavesFilesToTheFarm(t *testing.T) {
	for limit, want := range map[uint64]int{0: 512, 1 << 20: 512, 1024: 128, 64: 16} {
		if n := httpConns(limit); n != want {
			t.Errorf("of %d files, HTTP may have %d connections, not %d", limit, n, want)
		}
	}
}
