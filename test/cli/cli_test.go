//go:build unix

// Package cli tests the command lines as people and scripts use them: testdata/script holds one story a file.
package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/image/bmp"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

func TestMain(m *testing.M) {
	if cli.Child() {
		return
	}
	testscript.Main(m, map[string]func(){
		"farm":       func() { os.Exit(cli.Main(cli.FarmProgram(), os.Args)) },
		"ventilator": func() { os.Exit(cli.Main(cli.VentilatorProgram(), os.Args)) },
		"worker":     func() { os.Exit(cli.Main(cli.WorkerProgram(), os.Args)) },
		"sink":       func() { os.Exit(cli.Main(cli.SinkProgram(), os.Args)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "image": makeImage, "files": files, "size": size, "progress": progress, "terminal": terminal,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("IMAGEFARM_HTTP", "") // two scripts at once would want the same port
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// code runs a program that must end with that exit code: code N PROGRAM [ARGUMENT…]
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("it ended with %d, not %d", got, want)
	}
}

// makeImage writes images, each in the format of the first argument, whatever their names say: image jpeg NAME…
func makeImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: image jpeg|png|gif|bmp NAME…")
	}
	for i, name := range args[1:] {
		img := image.NewPaletted(
			image.Rect(0, 0, 320, 200),
			color.Palette{color.Black, color.White, color.RGBA{uint8(40 * i), 99, 200, 255}},
		)
		for p := range img.Pix {
			img.Pix[p] = uint8((p/40 + i) % 3)
		}
		var b bytes.Buffer
		switch args[0] {
		case "jpeg":
			ts.Check(jpeg.Encode(&b, img, nil))
		case "png":
			ts.Check(png.Encode(&b, img))
		case "gif":
			ts.Check(gif.Encode(&b, img, nil))
		case "bmp":
			ts.Check(bmp.Encode(&b, img))
		default:
			ts.Fatalf("no format %q", args[0])
		}
		path := ts.MkAbs(name)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, b.Bytes(), 0o644))
	}
}

// files compares the files below a directory, hidden directories left out, with a list: files DIR [NAME…]
func files(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: files DIR [NAME…]")
	}
	dir := ts.MkAbs(args[0])
	var got []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			got = append(got, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil && !(errors.Is(err, os.ErrNotExist) && len(args) == 1) {
		ts.Fatalf("%v", err)
	}
	want := slices.Sorted(slices.Values(args[1:]))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		ts.Fatalf("%s holds\n  %s\nnot\n  %s", args[0], strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// size checks an image's width, height and format: size FILE WxH FORMAT
func size(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: size FILE WxH FORMAT")
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	cfg, format, err := image.DecodeConfig(file)
	ts.Check(err)
	if got := fmt.Sprintf("%dx%d %s", cfg.Width, cfg.Height, format); got != args[1]+" "+args[2] {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// progress checks what the last program wrote to standard output with --progress json: each line is a JSON object with
// the keys that scripts rely on, and the last says that N images are settled: progress N
func progress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: progress N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var last map[string]any
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		message := make(map[string]any)
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			ts.Fatalf("%v in %s", err, line)
		}
		for _, key := range []string{"message_type", "percent_done", "seconds_remaining", "total", "done"} {
			if _, ok := message[key]; !ok {
				ts.Fatalf("no %q in %s", key, line)
			}
		}
		if percent, ok := message["percent_done"].(float64); !ok || percent < 0 || percent > 100 {
			ts.Fatalf("percent_done is %v", message["percent_done"])
		}
		last = message
	}
	if last == nil {
		ts.Fatalf("there is no line of JSON")
	}
	if last["message_type"] != "summary" || last["percent_done"] != 100.0 || last["total"] != float64(want) ||
		last["done"] != float64(want) {
		ts.Fatalf("the last line is %v, not the summary of %d images", last, want)
	}
}
