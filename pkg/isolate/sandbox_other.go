//go:build !linux

package isolate

import (
	"errors"
	"runtime"
)

// confineForker does nothing: this system has no sandbox that a program can enter by itself.
func confineForker([]string) []Layer { return nil }

// Kernel names the system.
func Kernel() string { return runtime.GOOS + " on " + runtime.GOARCH }

func prepareSandbox() error { return nil }

// closeSandbox reports that this system has no sandbox.
func closeSandbox(error, bool) []Layer {
	return []Layer{layer("sandbox", errors.New(runtime.GOOS+" has no sandbox that a program can enter by itself"))}
}
