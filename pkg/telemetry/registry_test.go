package telemetry

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRegistryHoldsBuildInfoAndRuntime(t *testing.T) {
	registry := NewRegistry()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
		if f.GetName() != "imagefarm_build_info" {
			continue
		}
		m := f.GetMetric()[0]
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName())
			if l.GetValue() == "" {
				t.Errorf("label %s is empty", l.GetName())
			}
		}
		if got := strings.Join(labels, " "); got != "goversion revision version" || m.GetGauge().GetValue() != 1 {
			t.Errorf("build info has labels %q and value %v", got, m.GetGauge().GetValue())
		}
	}
	for _, want := range []string{"imagefarm_build_info", "go_goroutines", "process_cpu_seconds_total"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
	problems, err := testutil.GatherAndLint(registry, "imagefarm_build_info")
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestVersionIsOfTheBuild(t *testing.T) {
	vcs := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	const revision = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		name           string
		info           debug.BuildInfo
		want, revision string
	}{
		{"nothing", debug.BuildInfo{}, "devel", "unknown"},
		{"installed", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3", "unknown"},
		{"built in a clone", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: vcs(revision, "false")},
			"v1.2.3", revision},
		{"built without a version", debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs(revision, "true")},
			"devel 0123456789ab", revision + "-dirty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := buildOf(&c.info)
			if b.String() != c.want || b.revision != c.revision {
				t.Errorf("got %q, revision %q; want %q, %q", b, b.revision, c.want, c.revision)
			}
		})
	}
	if Version() == "" {
		t.Error("this build has no version")
	}
}
