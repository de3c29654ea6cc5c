//go:build linux

package faults

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func operations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each metric that a program exports has its line in docs/OPERATIONS.md, and each that is named there is exported.
func TestEveryMetricIsExplained(t *testing.T) {
	t.Parallel()
	f := newFarm(t, filepath.Join(t.TempDir(), "out"))
	exported := make(map[string]bool)
	for _, start := range []func() *farmtest.Process{
		func() *farmtest.Process { return f.StartSink() },
		func() *farmtest.Process { return f.startVentilator("--wait-workers", "1m", album(t, 1)) },
		func() *farmtest.Process { return f.StartWorker("worker") }, // last: then the run ends, and its ventilator
	} {
		p := start()
		reply, err := http.Get(p.HTTP() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (imagefarm_\w+) `).FindAllStringSubmatch(string(text), -1) {
			exported[m[1]] = true
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if len(exported) < 20 {
		t.Fatalf("only %d metrics are exported", len(exported))
	}
	// Programs without certificates and buckets have nothing to tell of them.
	exported["imagefarm_tls_certificate_expiry_timestamp_seconds"] = true // with --tls alone
	exported["imagefarm_bucket_requests_total"] = true                    // with s3:// alone
	explained := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `(imagefarm_\\w+)` \\| .").FindAllStringSubmatch(operations(t), -1) {
		if explained[m[1]] {
			t.Errorf("%s is explained twice", m[1])
		}
		explained[m[1]] = true
		if !exported[m[1]] {
			t.Errorf("%s is explained, and no program exports it", m[1])
		}
	}
	for name := range exported {
		if !explained[name] {
			t.Errorf("%s is exported, and docs/OPERATIONS.md does not explain it", name)
		}
	}
}

// Flags and commands that the document names exist.
func TestEveryFlagThatIsNamedExists(t *testing.T) {
	t.Parallel()
	f := newFarm(t, t.TempDir())
	var help strings.Builder
	ask := func(args ...string) string {
		p := f.Start(args[0], args[0], append(slices.Clone(args[1:]), "--help")...)
		p.MustExit(0)
		help.WriteString(p.Said())
		return p.Said()
	}
	for _, program := range []string{"sink", "worker", "ventilator"} {
		ask(program)
	}
	ask("farm", "tls", "issue")
	ask("farm", "token", "issue")
	for _, command := range regexp.MustCompile(`(?m)^   ([a-z]+)  `).FindAllStringSubmatch(ask("farm"), -1) {
		ask("farm", command[1])
	}
	help.WriteString("--help ") // was taken by all of them
	for _, flag := range regexp.MustCompile("`(--[a-z-]+)").FindAllStringSubmatch(operations(t), -1) {
		if !strings.Contains(help.String(), flag[1]+" ") && !strings.Contains(help.String(), flag[1]+",") {
			t.Errorf("no program has %s", flag[1])
		}
	}
	for _, command := range regexp.MustCompile("(?m)(?:^    |`)farm ([a-z]+)").FindAllStringSubmatch(operations(t), -1) {
		if !regexp.MustCompile(`(?m)^   ` + command[1] + `\b`).MatchString(help.String()) {
			t.Errorf("there is no farm %s", command[1])
		}
	}
}
