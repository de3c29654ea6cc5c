//go:build unix

package compose

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guard is the variable that lets these tests run; make test-compose sets it.
const guard = "IMAGEFARM_COMPOSE_TEST"

// needEngine skips where containers cannot or shall not be run.
func needEngine(t *testing.T) {
	t.Helper()
	if os.Getenv(guard) == "" {
		t.Skipf("containers are run by make test-compose (%s=1)", guard)
	}
	for _, args := range [][]string{{"version", "--format", "{{.Server.Version}}"}, {"compose", "version"}} {
		if out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("docker %s: %v: %s", args[0], err, out)
			}
			t.Skipf("no container engine runs here: docker %s: %v", args[0], err)
		}
	}
}

// clone is a clean clone of what is committed here, and the compose project that runs in it.
type clone struct {
	dir     string
	project string
	env     []string
	user    *syscall.Credential // who runs everything; nil is whoever runs the test
}

// newClone clones the repository as the user; the project is taken down with all it made when the test ends.
func newClone(t *testing.T, user *syscall.Credential) *clone {
	t.Helper()
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "imagefarm-compose")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	c := &clone{dir: filepath.Join(home, "imagefarm"), project: "imagefarmtest" + hex.EncodeToString(id[:]), user: user}
	c.env = append(os.Environ(), "COMPOSE_PROJECT_NAME="+c.project, "IMAGEFARM_IMAGE="+c.project,
		"SINK_PORT=0", "PROMETHEUS_PORT=0", "GRAFANA_PORT=0", "PHOTOS=", "OUT=", "COMPOSE_ANSI=never")
	if user != nil {
		if err := os.Chown(home, int(user.Uid), int(user.Gid)); err != nil {
			t.Fatal(err)
		}
		c.env = append(c.env, "HOME="+home, "DOCKER_CONFIG="+dockerConfig(t, user))
	}

	root, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Fatalf("the repository is not found: %v", err)
	}
	source := strings.TrimSpace(string(root))
	bundle := filepath.Join(home, "bundle") // which a user who may not read the repository can
	if out, err := exec.CommandContext(t.Context(), "git", "-C", source, "bundle", "create", "-q", bundle, "HEAD").
		CombinedOutput(); err != nil {
		t.Fatalf("git bundle: %v: %s", err, out)
	}
	if err := os.Chmod(bundle, 0o644); err != nil {
		t.Fatal(err)
	}
	c.mustRunIn(t, home, "git", "clone", "-q", bundle, c.dir)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		cmd := c.command(ctx, c.dir, "docker", "compose", "down", "-v", "--rmi", "all", "--timeout", "5")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("docker compose down: %v: %s", err, out)
		}
	})
	return c
}

// dockerConfig returns a docker configuration of the user's, with the plugins of whoever runs the test.
func dockerConfig(t *testing.T, user *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "imagefarm-docker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	from := os.Getenv("DOCKER_CONFIG")
	if from == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		from = filepath.Join(home, ".docker")
	}
	plugins := filepath.Join(from, "cli-plugins")
	if _, err := os.Stat(plugins); err == nil {
		if err := os.CopyFS(filepath.Join(dir, "cli-plugins"), os.DirFS(plugins)); err != nil {
			t.Fatal(err)
		}
	}
	giveTo(t, dir, user)
	return dir
}

// giveTo makes the user the owner of everything under dir.
func giveTo(t *testing.T, dir string, user *syscall.Credential) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, int(user.Uid), int(user.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *clone) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, c.env
	if c.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.user}
	}
	// Compose stops its containers when it is interrupted.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// run returns the exit code and what was written; limit bounds it.
func (c *clone) run(t *testing.T, limit time.Duration, name string, args ...string) (code int, output string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := c.command(ctx, c.dir, name, args...).CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s %s took longer than %s:\n%s", name, strings.Join(args, " "), limit, out)
	}
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		code = ended.ExitCode()
	case err != nil:
		t.Fatalf("%s: %v", name, err)
	}
	return code, string(out)
}

func (c *clone) mustRunIn(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if out, err := c.command(t.Context(), dir, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// compose runs docker compose, which must succeed, and returns its standard output.
func (c *clone) compose(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := c.command(ctx, c.dir, "docker", append([]string{"compose"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker compose %s: %v: %s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// containers returns the ids of a service's containers, running or not.
func (c *clone) containers(t *testing.T, service string) []string {
	t.Helper()
	return strings.Fields(c.compose(t, "ps", "-a", "-q", service))
}

// get asks a service's published port and returns the status and the body.
func (c *clone) get(t *testing.T, service string, port int, path string) (status int, body []byte, err error) {
	t.Helper()
	addr := c.compose(t, "port", service, strconv.Itoa(port))
	if !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("%s is published on %s, want the loopback address only", service, addr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	var data bytes.Buffer
	_, err = data.ReadFrom(response.Body)
	return response.StatusCode, data.Bytes(), err
}

// sample is one series of an answer of Prometheus.
type sample struct {
	Metric map[string]string
	Value  [2]any // when, and what in a string
}

func (s sample) value() float64 {
	text, _ := s.Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("Prometheus answered the value %q", s.Value[1]))
	}
	return v
}

// query asks Prometheus.
func (c *clone) query(t *testing.T, expr string) ([]sample, error) {
	t.Helper()
	status, body, err := c.get(t, "prometheus", 9090, "/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error string
		Data  struct{ Result []sample }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	return answer.Data.Result, nil
}

// waitForValue waits until an expression has the one value.
func (c *clone) waitForValue(t *testing.T, expr string, want float64) {
	t.Helper()
	waitFor(t, time.Minute, func() (bool, string) {
		samples, err := c.query(t, expr)
		if err != nil || len(samples) != 1 {
			return false, fmt.Sprintf("%s is %v (%v), want %v", expr, samples, err, want)
		}
		return samples[0].value() == want, fmt.Sprintf("%s is %v, want %v", expr, samples[0].value(), want)
	})
}

// waitFor asks again until done, and fails with what was last seen when that takes longer than the limit.
func waitFor(t *testing.T, limit time.Duration, done func() (bool, string)) {
	t.Helper()
	deadline, tick := time.After(limit), time.NewTicker(300*time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := done()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", limit, seen)
		}
	}
}
