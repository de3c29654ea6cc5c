// Command release builds everything that a release consists of, into a directory:
//
//	go run ./deploy/release -out dist
//
// For Linux on amd64 and arm64, macOS on both, and Windows on amd64 it makes an archive of static programs with
// manual pages, shell completions and the licences of all parts; for Linux also .deb and .rpm packages with systemd
// units. A bill of materials and SHA-256 sums complete it. Vector code is chosen when a program starts, so one program
// serves every processor of its kind.
//
// The same commit gives the same bytes: files carry the time of the commit, and no path of the building machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "dist", "directory to write to; what it holds of an earlier release is replaced")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64",
		"what to build for, OS/ARCH, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := release(ctx, *out, strings.Split(*platforms, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// build is one release on its way.
type build struct {
	out     string    // directory of the finished files
	work    string    // directory of intermediate ones
	version string    // as the programs print it, without the leading v
	at      time.Time // of the commit
}

func release(ctx context.Context, out string, platforms []string) error {
	at, err := commitTime(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "imagefarm-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	b := &build{out: out, work: work, at: at}
	for _, step := range []func(context.Context) error{
		b.host,      // the program for this machine, which writes manual pages and completions
		b.documents, // and tells the version
		b.licences,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, p := range platforms {
		goos, goarch, ok := strings.Cut(p, "/")
		if !ok {
			return fmt.Errorf("platform %q is not OS/ARCH", p)
		}
		if err := b.platform(ctx, goos, goarch); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	for _, step := range []func(context.Context) error{b.image, b.materials, b.sums} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commitTime returns when the commit was made that is built; SOURCE_DATE_EPOCH takes its place.
func commitTime(ctx context.Context) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("the commit's time is not known (set SOURCE_DATE_EPOCH): %w", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the commit's time %q is no number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// run runs a command and shows what it writes to standard error.
func run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// compile builds programs for a platform into a directory. They are static: a release never looks for shared libraries.
func compile(ctx context.Context, goos, goarch, dir string, programs ...string) error {
	fmt.Fprintf(os.Stderr, "building for %s/%s\n", goos, goarch)
	args := []string{"build", "-trimpath", "-buildvcs=true", "-tags", "nodynamic", "-ldflags", "-s -w -buildid=", "-o",
		dir + string(filepath.Separator)}
	for _, p := range programs {
		args = append(args, "./"+p)
	}
	return run(ctx, []string{"CGO_ENABLED=0", "GOFLAGS=", "GOOS=" + goos, "GOARCH=" + goarch}, "go", args...)
}
