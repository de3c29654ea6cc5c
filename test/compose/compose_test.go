//go:build unix

// Package compose runs the farm of docker-compose.yml as somebody would who has just cloned the project.
package compose

import (
	"bufio"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// slow is a compose file beside the project's that makes a run last: each worker gets a tenth of a core, and the
// general engine instead of the fast one.
const slow = "services: {worker: {cpus: 0.1, environment: {IMAGEFARM_ENGINE: imaging}}}\n"

var sizes = []int{64, 128, 256}

// files returns the regular files under dir, relative to it, without hidden ones.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
		case e.Type().IsRegular():
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// checkOutputs wants three thumbnails of each image of the input directory, each of which decodes and fits, and nothing
// else. The format may differ from the image's, where that is no good for thumbnails.
func checkOutputs(t *testing.T, in, out string) {
	t.Helper()
	stem := func(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }
	made := map[string]string{}
	for _, name := range files(t, out) {
		made[stem(name)] = name
	}
	for _, name := range files(t, in) {
		width, height := decode(t, filepath.Join(in, name))
		for _, size := range sizes {
			want := fmt.Sprintf("%s_thumbnail%d", stem(name), size)
			output, ok := made[want]
			if !ok {
				t.Errorf("no output is %s", want)
				continue
			}
			delete(made, want)
			w, h := decode(t, filepath.Join(out, output))
			if got, want := max(w, h), min(size, max(width, height)); got != want {
				t.Errorf("%s is %d×%d, want %d for the longer side", output, w, h, want)
			}
		}
	}
	if len(made) > 0 {
		t.Errorf("nobody asked for %v", made)
	}
}

// decode returns an image's size after decoding all of it.
func decode(t *testing.T, path string) (width, height int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return picture.Bounds().Dx(), picture.Bounds().Dy()
}

// checkOwner wants everything under dir, and dir, to belong to the user.
func checkOwner(t *testing.T, dir string, uid int) (seen int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // files in the making go
		}
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		seen++
		if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != uid {
			t.Errorf("%s belongs to user %d, want %d", path, owner, uid)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// newPhotos makes n names of small sample images, in directories of a hundred.
func newPhotos(t *testing.T, c *clone, n int) (dir string) {
	t.Helper()
	samples := filepath.Join(c.dir, "testdata", "photos", "orientation")
	originals := files(t, samples)
	dir = filepath.Join(filepath.Dir(c.dir), "photos")
	for i := range n {
		original := originals[i%len(originals)]
		name := filepath.Join(dir, fmt.Sprintf("d%03d", i/100), fmt.Sprintf("p%05d%s", i, filepath.Ext(original)))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(samples, original), name); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCleanCloneRunsToItsEnd(t *testing.T) {
	needEngine(t)
	c := newClone(t, nil)
	in, out := filepath.Join(c.dir, "testdata", "photos"), filepath.Join(c.dir, "thumbnails")
	up := func(why string) string {
		t.Helper()
		code, output := c.run(t, 10*time.Minute,
			"docker", "compose", "up", "--build", "--scale", "worker=3", "--exit-code-from", "ventilator")
		if code != 0 {
			t.Fatalf("%s: exit code %d:\n%s", why, code, output)
		}
		return output
	}

	output := up("the first run")
	checkOutputs(t, in, out)
	checkOwner(t, out, os.Geteuid())
	for i := range 3 {
		if worker := fmt.Sprintf("worker-%d", i+1); !strings.Contains(output, worker) {
			t.Errorf("%s did not run:\n%s", worker, output)
		}
	}

	before := modified(t, out)
	up("a second run, with nothing left to do")
	if after := modified(t, out); after != before {
		t.Errorf("the second run made something again:\n%s\nbefore:\n%s", after, before)
	}

	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	up("a run after somebody deleted the outputs")
	checkOutputs(t, in, out)
}

// modified lists the outputs and when each was last written.
func modified(t *testing.T, out string) string {
	t.Helper()
	var list strings.Builder
	for _, name := range files(t, out) {
		info, err := os.Stat(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&list, name, info.ModTime().Format(time.RFC3339Nano))
	}
	return list.String()
}

func TestScaledFarmIsSeenByPrometheus(t *testing.T) {
	needEngine(t)
	c := newClone(t, nil)
	const images = 2000
	in := newPhotos(t, c, images)
	c.env = append(c.env, "PHOTOS="+in)
	if err := os.WriteFile(filepath.Join(c.dir, "docker-compose.override.yml"), []byte(slow), 0o600); err != nil {
		t.Fatal(err)
	}

	c.compose(t, "up", "-d", "--build", "--scale", "worker=3")
	c.waitForValue(t, `sum(up{job=~"ventilator|worker|sink|prometheus"})`, 6)
	c.waitForValue(t, "count(sum by (instance) (imagefarm_worker_tasks_total) > 0)", 3)
	c.waitForValue(t, "sum(imagefarm_sink_workers_connected)", 3)

	c.compose(t, "up", "-d", "--no-recreate", "--scale", "worker=5")
	c.waitForValue(t, `count(up{job="worker"} == 1)`, 5)
	c.waitForValue(t, "sum(imagefarm_sink_workers_connected)", 5)
	c.waitForValue(t, "count(sum by (instance) (imagefarm_worker_tasks_total) > 0)", 5)
	ventilator := c.containers(t, "ventilator")[0]
	if _, state := c.run(t, time.Minute, "docker", "inspect", "-f", "{{.State.Running}}", ventilator); state != "true\n" {
		t.Fatalf("the run ended before it was watched: running is %s", state)
	}

	// Enough seen: let it finish at full speed.
	for _, worker := range c.containers(t, "worker") {
		c.mustRunIn(t, c.dir, "docker", "update", "--cpus", "1", worker)
	}
	if _, code := c.run(t, 5*time.Minute, "docker", "wait", ventilator); code != "0\n" {
		_, logs := c.run(t, time.Minute, "docker", "logs", "--tail", "50", ventilator)
		t.Fatalf("the ventilator ended with %s:\n%s", code, logs)
	}
	checkOutputs(t, in, filepath.Join(c.dir, "thumbnails"))
	settled := `sum(imagefarm_sink_results_total{outcome!="duplicate"})`
	c.waitForValue(t, settled, images)
	c.waitForValue(t, `sum(imagefarm_sink_run_images{state=~"done|skipped|rejected|dead"})`, images)
	c.waitForValue(t, `sum(imagefarm_sink_run_images{state="found"})`, images)

	checkWatched(t, c)
	if status, _, err := c.get(t, "grafana", 3000, "/api/health"); err != nil || status != 200 {
		t.Errorf("Grafana's health: %d, %v", status, err)
	}
	if status, _, err := c.get(t, "sink", 8080, "/readyz"); err != nil || status != 200 {
		t.Errorf("the sink's readiness: %d, %v", status, err)
	}
}

// checkWatched wants a value in Prometheus for every metric that a rule or a panel uses, and no alert.
func checkWatched(t *testing.T, c *clone) {
	t.Helper()
	name := regexp.MustCompile(`\bimagefarm[_:][a-z0-9_:]+`)
	var names []string
	for _, file := range []string{"deploy/prometheus/rules/imagefarm.yml", "deploy/grafana/dashboards/imagefarm.json"} {
		data, err := os.ReadFile(filepath.Join(c.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.FindAllString(string(data), -1)...)
	}
	slices.Sort(names)
	for _, metric := range slices.Compact(names) {
		if strings.HasSuffix(metric, "ratio5m") {
			continue // has a value only where something was rejected or sent again
		}
		samples, err := c.query(t, fmt.Sprintf("count(count_over_time(%s[10m]))", metric))
		if err != nil || len(samples) == 0 {
			t.Errorf("Prometheus has no %s (%v)", metric, err)
		}
	}
	alerts, err := c.query(t, `ALERTS{alertstate="firing"}`)
	if err != nil || len(alerts) > 0 {
		t.Errorf("a run that went well raised %v (%v)", alerts, err)
	}
}

func TestOrdinaryUserOwnsWhatAppearsWhateverIsKilled(t *testing.T) {
	needEngine(t)
	if os.Geteuid() != 0 {
		t.Skip("the other tests are run by an ordinary user already; only root can play another")
	}
	socket, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		t.Skipf("the engine's socket is not where its group could be seen: %v", err)
	}
	const uid = 4321
	group := socket.Sys().(*syscall.Stat_t).Gid
	defer syscall.Umask(syscall.Umask(0o077)) // the most careful of users
	c := newClone(t, &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{group}})
	override := filepath.Join(c.dir, "docker-compose.override.yml")
	if err := os.WriteFile(override, []byte(slow), 0o600); err != nil {
		t.Fatal(err)
	}
	giveTo(t, override, c.user)
	in := newPhotos(t, c, 300)
	giveTo(t, in, c.user)
	c.env = append(c.env, "PHOTOS="+in)
	out := filepath.Join(c.dir, "thumbnails")

	c.compose(t, "up", "-d", "--build", "--scale", "worker=2")
	waitFor(t, time.Minute, func() (bool, string) {
		seen := checkOwner(t, out, uid)
		return seen > 20, fmt.Sprintf("%d files and directories in ./thumbnails", seen)
	})
	c.compose(t, "kill", "-s", "KILL", "sink")
	checkOwner(t, out, uid)
	c.compose(t, "down", "--timeout", "3") // without the sink nobody can finish
	checkOwner(t, out, uid)
	c.mustRunIn(t, c.dir, "rm", "-r", out)

	if err := os.Remove(override); err != nil {
		t.Fatal(err)
	}
	code, output := c.run(t, 5*time.Minute, "docker", "compose", "up", "--exit-code-from", "ventilator")
	if code != 0 {
		t.Fatalf("the run after the kill: exit code %d:\n%s", code, output)
	}
	checkOutputs(t, in, out)
	checkOwner(t, out, uid)
	c.mustRunIn(t, c.dir, "rm", "-r", out)
}
