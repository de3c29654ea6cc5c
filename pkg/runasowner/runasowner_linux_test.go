package runasowner

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The test binary plays both programs: with execDir set it calls Exec on itself, and with report set it prints what
// it has become.
const (
	execDir  = "OWNER_TEST_DIR"
	execLike = "OWNER_TEST_LIKE"
	report   = "OWNER_TEST_REPORT"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(report) != "":
		status, err := os.ReadFile("/proc/self/status")
		if err == nil {
			_, err = os.Stdout.Write(status)
		}
		if err == nil && len(os.Args) > 1 {
			err = os.WriteFile(os.Args[1], nil, 0o666)
		}
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
	case os.Getenv(execDir) != "":
		os.Setenv(report, "1")
		err := Exec(Config{Dir: os.Getenv(execDir), Like: os.Getenv(execLike)}, os.Args)
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	default:
		os.Exit(m.Run())
	}
}

// runExec runs Exec in a process of its own and returns the fields of /proc/self/status of what came out of it. A
// non-empty write is a file that it makes then.
func runExec(t *testing.T, c Config, write string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), newProgram(t))
	if write != "" {
		cmd.Args = append(cmd.Args, write)
	}
	cmd.Env = append(os.Environ(), execDir+"="+c.Dir, execLike+"="+c.Like)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	status := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok {
			status[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	return status
}

// newProgram copies the test binary to where every user can run it.
func newProgram(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(newDir(t, os.Geteuid(), os.Getegid()), "program")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
}

// newDir returns a directory of the given owner that everybody can reach.
func newDir(t *testing.T, uid, gid int) string {
	t.Helper()
	root, err := os.MkdirTemp("", "owner")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "dir")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkOwner(t *testing.T, path string, uid, gid int) {
	t.Helper()
	got, err := ownerOf(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != (ids{uid, gid}) {
		t.Errorf("%s belongs to %d:%d, want %d:%d", path, got.uid, got.gid, uid, gid)
	}
}

func checkStatus(t *testing.T, status map[string]string, uid, gid int) {
	t.Helper()
	four := func(id int) string { return strings.TrimSpace(strings.Repeat(strconv.Itoa(id)+" ", 4)) }
	for key, want := range map[string]string{
		"Uid": four(uid), "Gid": four(gid), "Groups": "", "NoNewPrivs": "1",
		"CapInh": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000",
		"CapAmb": "0000000000000000",
	} {
		if got, there := status[key]; !there || got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestDirectoryThatTheEngineMadeGoesToTheProjectsOwner(t *testing.T) {
	needRoot(t)
	project, out := newDir(t, 4321, 8765), newDir(t, 0, 0)
	made := filepath.Join(out, "made")
	status := runExec(t, Config{Dir: out, Like: project}, made)
	checkStatus(t, status, 4321, 8765)
	checkOwner(t, out, 4321, 8765)
	checkOwner(t, made, 4321, 8765)
}

func TestDirectoryOfSomebodyIsRespected(t *testing.T) {
	needRoot(t)
	project, out := newDir(t, 4321, 8765), newDir(t, 1234, 5678)
	made := filepath.Join(out, "made")
	checkStatus(t, runExec(t, Config{Dir: out, Like: project}, made), 1234, 5678)
	checkOwner(t, out, 1234, 5678)
	checkOwner(t, made, 1234, 5678)
}

func TestDirectoryOfRootWithContentsStaysRoots(t *testing.T) {
	needRoot(t)
	project, out := newDir(t, 4321, 8765), newDir(t, 0, 0)
	if err := os.WriteFile(filepath.Join(out, "there"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkStatus(t, runExec(t, Config{Dir: out, Like: project}, ""), 0, 0)
	checkOwner(t, out, 0, 0)
}

func TestRootsProjectKeepsRootWithoutCapabilities(t *testing.T) {
	needRoot(t)
	project, out := newDir(t, 0, 0), newDir(t, 0, 0)
	made := filepath.Join(out, "made")
	checkStatus(t, runExec(t, Config{Dir: out, Like: project}, made), 0, 0)
	checkOwner(t, made, 0, 0)
}

func TestWithoutLikeNothingIsGivenAway(t *testing.T) {
	needRoot(t)
	out := newDir(t, 0, 0)
	checkStatus(t, runExec(t, Config{Dir: out}, ""), 0, 0)
	checkOwner(t, out, 0, 0)
}

func TestWhoIsNotRootStaysWhoHeIs(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), newProgram(t))
	uid := os.Geteuid()
	if uid == 0 { // be somebody else
		uid = 4321
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), execDir+"=/", execLike+"=/")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := "\nUid:\t" + strconv.Itoa(uid) + "\t"; !strings.Contains(string(out), want) {
		t.Errorf("no %q in %s", want, out)
	}
}

func TestExecNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		cfg  Config
		argv []string
		want string
	}{
		{"no directory", Config{}, []string{"true"}, "directory"},
		{"no program", Config{Dir: dir}, nil, "program"},
		{"an empty program", Config{Dir: dir}, []string{""}, "program"},
		{"a program that is not there", Config{Dir: dir}, []string{"no-such-program"}, "no-such-program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Exec(c.cfg, c.argv); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error that names %s", err, c.want)
			}
		})
	}
}

func TestPathsThatAreNotThereAreAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := decide(Config{Dir: missing}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dir: %v", err)
	}
	if os.Geteuid() == 0 {
		if _, err := decide(Config{Dir: newDir(t, 0, 0), Like: missing}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Like: %v", err)
		}
	}
}
