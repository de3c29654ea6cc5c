package tiff

import (
	"testing"

	"go.uber.org/goleak"
)

// The decoder of zstd starts goroutines unless it is told not to.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
