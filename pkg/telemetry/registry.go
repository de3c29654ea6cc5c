package telemetry

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry returns a registry with the metrics of the Go runtime and the process, and with imagefarm_build_info: a
// gauge that is always 1, whose labels name the build.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := readBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "imagefarm_build_info",
		Help: "Always 1; the labels name the build of imagefarm.",
		ConstLabels: prometheus.Labels{
			"version": build.version, "revision": build.revision, "goversion": runtime.Version(),
		},
	})
	info.Set(1)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		info,
	)
	return registry
}

// Version says which build this is: the module's version as the go command stamped it, or "devel" where it stamped
// none, followed by the first twelve characters of the revision if that is known and not part of the version already.
func Version() string {
	return readBuild().String()
}

type build struct {
	version  string // "devel" when unknown
	revision string // "unknown" when unknown; "-dirty" is appended when the tree had changes
}

func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) build {
	b := build{version: info.Main.Version, revision: "unknown"}
	if b.version == "" || b.version == "(devel)" {
		b.version = "devel"
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty && b.revision != "unknown" {
		b.revision += "-dirty"
	}
	return b
}

func (b build) String() string {
	if b.version != "devel" || b.revision == "unknown" {
		return b.version
	}
	return b.version + " " + b.revision[:min(12, len(b.revision))]
}
