//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package blob

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func makePipe(path string) error { return syscall.Mkfifo(path, 0o666) }

// The tests that need a process of their own run this test binary again, which then does what childTask says.
const childTask = "IMAGEFARM_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childTask) {
	case "put":
		childPuts(os.Args[1])
	case "full":
		childRunsOutOfSpace(os.Args[1])
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, task, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	cmd.Stderr = os.Stderr
	return cmd
}

// childPuts puts outputs of many sizes, each filled with the last byte of its name, until it is killed, and says so.
func childPuts(dir string) {
	d, err := OpenDir(dir, Config{})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("d%d/%d", i%7, i%50)
		fill := name[len(name)-1:]
		if err := d.Put(context.Background(), name, bytes.Repeat([]byte(fill), 1+i%50*4099)); err != nil {
			panic(err)
		}
		fmt.Println(name)
	}
}

func TestWritersAreKilledAtAnyMoment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	for kill := range 12 {
		cmd := child(t, "put", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var acknowledged string
		for range 1 + kill*17 {
			if !lines.Scan() {
				t.Fatalf("the writer ended by itself: %v", cmd.Wait())
			}
			acknowledged = lines.Text()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		checkComplete(t, dir, acknowledged)
	}
	sweep(t, dir)
}

func checkComplete(t *testing.T, dir, acknowledged string) {
	t.Helper()
	found := false
	for _, name := range list(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(filepath.Base(name), "%d", &n); err != nil {
			t.Fatalf("a file that is no output: %q", name)
		}
		fill := name[len(name)-1:]
		if len(data) != 1+n*4099 || len(bytes.Trim(data, fill)) != 0 {
			t.Errorf("%s is half-written: %d bytes", name, len(data))
		}
		found = found || name == acknowledged
	}
	if !found {
		t.Errorf("%s was acknowledged and is not there", acknowledged)
	}
}

// sweep expects leftovers of the dead, and checks that a living process's place stays.
func sweep(t *testing.T, dir string) {
	t.Helper()
	living := child(t, "put", dir)
	out, err := living.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := living.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan() // it is at work
	d, err := OpenDir(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	swept, err := d.SweepTemp()
	if err != nil || swept != 12 {
		t.Errorf("SweepTemp = %d, %v; 12 writers were killed", swept, err)
	}
	if again, err := d.SweepTemp(); again != 0 || err != nil {
		t.Errorf("a second SweepTemp = %d, %v", again, err)
	}
	for range 200 {
		if !lines.Scan() {
			t.Fatal("the living writer failed when others' leftovers were swept")
		}
	}
	places, err := filepath.Glob(filepath.Join(dir, tempDir, "*"+lockSuffix))
	if err != nil || len(places) != 2 {
		t.Errorf("places for temporary files: %q, %v; want the living one's and our own", places, err)
	}
	if err := living.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = living.Wait() // it was killed
}

// childRunsOutOfSpace has the kernel refuse files beyond a size, which is how a full disk looks to a writer, and then
// allow them again.
func childRunsOutOfSpace(dir string) {
	d, err := OpenDir(dir, Config{})
	if err != nil {
		panic(err)
	}
	data := make([]byte, 100_000)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		panic(err)
	}
	small := was
	small.Cur = 50_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		panic(err)
	}
	err = d.Put(context.Background(), "x.bin", data)
	if !errors.Is(err, ErrUnavailable) {
		fmt.Printf("Put with no room = %v, want an ErrUnavailable\n", err)
	}
	if left := len(mustGlob(filepath.Join(dir, tempDir, "*", "*"))); left != 0 {
		fmt.Printf("%d temporary files were left\n", left)
	}
	if _, err := d.Stat("x.bin"); err == nil {
		fmt.Println("the incomplete output is visible")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		panic(err)
	}
	if err := d.Put(context.Background(), "x.bin", data); err != nil {
		fmt.Printf("Put once there is room = %v\n", err)
	}
}

func mustGlob(pattern string) []string {
	names, err := filepath.Glob(pattern)
	if err != nil {
		panic(err)
	}
	return names
}

func TestThereIsNoRoomAndThenThereIs(t *testing.T) {
	out, err := child(t, "full", filepath.Join(t.TempDir(), "out")).Output()
	if err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
