//go:build unix

package farmtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Farm is the addresses that the processes of one test share. They are fixed before any process starts, so that the
// processes can start in any order, and more than once.
type Farm struct {
	Host                            string // a loopback address that no other farm uses, where the system has several
	Tasks, Results, Events, Control string // endpoints, tcp://HOST:PORT
	Out                             string // the sink's output directory

	t        testing.TB
	programs string
}

// farms counts the farms of this test binary: each gets a loopback address of its own.
var farms atomic.Uint32

// New returns a farm of the programs in a directory (see With). Its sink writes to out.
func New(t testing.TB, programs, out string) *Farm {
	t.Helper()
	f := &Farm{Host: loopback(), Out: out, t: t, programs: programs}
	for port, e := range map[string]*string{"5555": &f.Control, "5556": &f.Events, "5557": &f.Tasks, "5558": &f.Results} {
		*e = "tcp://" + net.JoinHostPort(f.Host, port)
		if f.Host == "127.0.0.1" {
			*e = "tcp://" + f.FreeAddress()
		}
	}
	return f
}

// loopback returns an address of this machine that no other farm uses, where there are several (as on Linux). There the
// usual ports are free, and the kernel assigns them neither to outgoing connections nor to servers on port 0.
func loopback() string {
	n, pid := farms.Add(1), os.Getpid()
	host := fmt.Sprintf("127.%d.%d.%d", 16+(pid>>8)&127, pid&255, 1+n%250)
	if l, err := net.Listen("tcp", net.JoinHostPort(host, "5557")); err == nil {
		_ = l.Close()
		return host
	}
	return "127.0.0.1"
}

// FreeAddress returns a HOST:PORT of the farm's host that was free a moment ago.
func (f *Farm) FreeAddress() string {
	f.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(f.Host, "0"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Start starts one of the four programs under the given name. It ends with the test.
func (f *Farm) Start(name, program string, args ...string) *Process {
	f.t.Helper()
	return Start(f.t, name, exec.Command(filepath.Join(f.programs, program), args...))
}

// StartSink starts the sink.
func (f *Farm) StartSink(args ...string) *Process {
	f.t.Helper()
	return f.Start("sink", "sink", append(f.sinkArgs(), args...)...)
}

func (f *Farm) sinkArgs() []string {
	return []string{"--results", f.Results, "--events", f.Events, "--control", f.Control,
		"--out", f.Out, "--http", f.Host + ":0", "--log-format", "json"}
}

// StartSinkWithin starts the sink with a hard limit of open files.
func (f *Farm) StartSinkWithin(files int) *Process {
	f.t.Helper()
	return Start(f.t, "sink", exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, files), "sh",
		filepath.Join(f.programs, "sink")}, f.sinkArgs()...)...))
}

// StartWorker starts a worker of one slot, which is the easiest to reason about. Arguments may name another number.
func (f *Farm) StartWorker(name string, args ...string) *Process {
	f.t.Helper()
	return f.Start(name, "worker", append([]string{"--ventilator", f.Tasks, "--results", f.Results, "--name", name,
		"--slots", "1", "--http", f.Host + ":0", "--log-format", "json"}, args...)...)
}

// StartVentilator starts a ventilator. Arguments name its inputs.
func (f *Farm) StartVentilator(args ...string) *Process {
	f.t.Helper()
	return f.Start("ventilator", "ventilator", append([]string{"--bind", f.Tasks, "--events", f.Events,
		"--control", f.Control, "--http", f.Host + ":0", "--log-format", "json"}, args...)...)
}

// Client returns a client of the sink, which is closed with the test.
func (f *Farm) Client() *sinkclient.Client {
	f.t.Helper()
	c, err := sinkclient.Dial(zsock.Network{}, f.Control)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			f.t.Log(err)
		}
	})
	return c
}

// Status asks the sink for its status, and waits until it answers.
func (f *Farm) Status() *wire.Status {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	c := f.Client()
	s, err := c.Status(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// Environ returns this process's environment without the variables that steer the programs.
func Environ() []string {
	var kept []string
	for _, s := range os.Environ() {
		if !strings.HasPrefix(s, "IMAGEFARM_") {
			kept = append(kept, s)
		}
	}
	return kept
}
