//go:build !linux

package isolate

import "os"

// Program returns the path that a child executes.
func Program() (string, error) { return os.Executable() }

func awaitExit(*os.Process) bool { return false }

func killAll(p *os.Process) { _ = p.Kill() }

func slacken() {}
