package cli

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imagefarm/imagefarm/pkg/engine/codec"
	"github.com/imagefarm/imagefarm/pkg/format"
)

func TestCodecMetricsNameEveryFormat(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCodecMetrics(false))
	problems, err := testutil.GatherAndLint(registry, "imagefarm_codec_info")
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	n, err := testutil.GatherAndCount(registry, "imagefarm_codec_info")
	if err != nil || n != len(format.All()) {
		t.Errorf("%d series for %d formats: %v", n, len(format.All()), err)
	}
}

func TestPrintCodecs(t *testing.T) {
	var out strings.Builder
	err := printCodecs(&out, codec.List{
		Codecs: []codec.Codec{{Format: format.HEIC, Reads: "libheif 1.15.1"}},
		Absent: []codec.Absent{{Library: "libwebp", Why: "no such file"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"heic", "libheif 1.15.1", "–", "libwebp is not used: no such file"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}
