//go:build unix && !linux

package cli

import "github.com/rogpeppe/go-internal/testscript"

// terminal is for Linux; scripts that use it say so.
func terminal(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("no terminal on this system") }
