//go:build linux

package faults

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/program"
)

// process is a program under test. What it writes is kept, and shown when the test fails.
type process struct {
	*program.Process
	t *testing.T
}

func start(t *testing.T, which string, args ...string) *process {
	t.Helper()
	return &process{program.Start(t, which, exec.Command(filepath.Join(programs, which), args...)), t}
}

// readiness returns the status and the words of /readyz.
func (p *process) readiness() (int, string) {
	p.t.Helper()
	client := http.Client{Timeout: limit}
	defer client.CloseIdleConnections()
	reply, err := client.Get(p.HTTP() + "/readyz")
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

func (p *process) mustSay(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.Said(), w) {
			p.t.Errorf("%s does not say %q: %s", p.Name, w, p.Said())
		}
	}
}

// mustBalance fails unless the run's summary says that it found n images and made all.
func (p *process) mustBalance(n int) {
	p.t.Helper()
	p.mustSay(fmt.Sprintf("%d images found = %d done + 0 skipped + 0 rejected + 0 dead: balanced", n, n))
}
