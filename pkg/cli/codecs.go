package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/engine/codec"
	"github.com/imagefarm/imagefarm/pkg/isolate"
)

// listCodecsEnv makes a process print its codecs and end. Children ask nobody, and this process loads no libraries,
// so a child says which codecs children have.
const listCodecsEnv = "IMAGEFARM_LIST_CODECS"

// codecsWait bounds the wait for that child.
const codecsWait = 20 * time.Second

func codecsCommand() *cli.Command {
	return &cli.Command{
		Name:  "codecs",
		Usage: "list what reads and writes each image format on this machine",
		Flags: []cli.Flag{yes(showing, "json", "print JSON")},
		Action: func(ctx context.Context, c *cli.Command) error {
			list, err := codecsOfChildren(ctx)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(stdout()).Encode(list)
			}
			return printCodecs(stdout(), list)
		},
	}
}

func printCodecs(w io.Writer, list codec.List) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "FORMAT\tREAD BY\tWRITTEN BY")
	for _, c := range list.Codecs {
		writes := c.Writes
		if writes == "" {
			writes = "–"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Format, c.Reads, writes)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, a := range list.Absent {
		fmt.Fprintf(w, "%s is not used: %s\n", a.Library, a.Why)
	}
	return nil
}

// printOwnCodecs prints the codecs of this process, if it was started for that.
func printOwnCodecs() bool {
	if os.Getenv(listCodecsEnv) == "" {
		return false
	}
	if err := json.NewEncoder(stdout()).Encode(codec.Of()); err != nil {
		fmt.Fprintln(stderr(), err)
	}
	return true
}

// codecsOfChildren returns the codecs that this program's children have.
func codecsOfChildren(ctx context.Context) (list codec.List, err error) {
	ctx, cancel := context.WithTimeout(ctx, codecsWait)
	defer cancel()
	program, err := isolate.Program()
	if err != nil {
		return list, fmt.Errorf("cannot list the codecs: %w", err)
	}
	child := exec.CommandContext(ctx, program)
	child.Env = append(os.Environ(), listCodecsEnv+"=1", codecsEnv())
	out, err := child.Output()
	if err != nil {
		return list, fmt.Errorf("cannot list the codecs: the child process: %w", err)
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return list, fmt.Errorf("cannot list the codecs: the child's answer: %w", err)
	}
	return list, nil
}

// codecMetrics exports imagefarm_codec_info. It asks a child when it is first scraped.
type codecMetrics struct {
	ask  func() (codec.List, error)
	info *prometheus.Desc
}

var _ prometheus.Collector = (*codecMetrics)(nil)

// newCodecMetrics describes the codecs of the children, or of this process where it transforms without children.
func newCodecMetrics(children bool) *codecMetrics {
	return &codecMetrics{
		ask: sync.OnceValues(func() (codec.List, error) {
			if !children {
				return codec.Of(), nil
			}
			return codecsOfChildren(context.Background())
		}),
		info: prometheus.NewDesc("imagefarm_codec_info", "Always 1; the labels name what reads and writes a format.",
			[]string{"format", "reads", "writes"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *codecMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.info }

// Collect implements prometheus.Collector. Without an answer it exports nothing.
func (m *codecMetrics) Collect(out chan<- prometheus.Metric) {
	list, err := m.ask()
	if err != nil {
		return
	}
	for _, c := range list.Codecs {
		out <- prometheus.MustNewConstMetric(m.info, prometheus.GaugeValue, 1, c.Format, c.Reads, c.Writes)
	}
}
