package laws

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A longer file usually holds two ideas.
const mostLines = 400

func TestFilesAreShort(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z", "*.go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("this is no clone: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile("../../" + name)
		if os.IsNotExist(err) {
			continue // removed, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, more than %d", name, n, mostLines)
		}
	}
}
