package sinkclient

import (
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestBatchesKeepToTheLargestRequest(t *testing.T) {
	long := make([]string, 3*wire.MaxBatch)
	for i := range long {
		long[i] = strings.Repeat("x", wire.MaxName)
	}
	for taken := 0; taken < len(long); {
		left := long[taken:]
		n, args := batch(wire.OpOwners, len(left), func(n int) any { return &wire.OwnersArgs{Outputs: left[:n]} })
		if size := len(wire.EncodeRequest(wire.OpOwners, args)); n < 1 || size > wire.MaxRequest {
			t.Fatalf("a request of %d names has %d bytes", n, size)
		}
		taken += n
	}
	short := make([]string, 3*wire.MaxBatch)
	if n, _ := batch(wire.OpOwners, len(short),
		func(n int) any { return &wire.OwnersArgs{Outputs: short[:n]} }); n != wire.MaxBatch {
		t.Errorf("a request of %d short names; want %d", n, wire.MaxBatch)
	}
}
