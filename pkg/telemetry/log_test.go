package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// newLogger returns a logger that writes to the buffer.
func newLogger(t *testing.T, c LogConfig) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	c.Writer = &out
	logger, err := NewLogger(c)
	if err != nil {
		t.Fatal(err)
	}
	return logger, &out
}

func TestTextLineLayout(t *testing.T) {
	logger, out := newLogger(t, LogConfig{})
	peer := logger.With("run", "r1").WithGroup("peer")
	peer.Warn("peer left", "addr", "10.0.0.7:1", "held", 3, "why", errors.New("end of file"))
	logger.Info("ready")

	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ` +
		`WARN  peer left run=r1 peer\.addr=10\.0\.0\.7:1 peer\.held=3 peer\.why="end of file"\n` +
		`\S+ \S+ INFO  ready\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got %q, want it to match %s", out, want)
	}
}

func TestAttributesNamedLikeBuiltinsAreKept(t *testing.T) {
	logger, out := newLogger(t, LogConfig{})
	logger.Info("m", "msg", "inner", "level", "deep", "time", 7*time.Second)
	if want := "m msg=inner level=deep time=7s\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end in %q", out, want)
	}
}

func TestControlCharactersAreQuoted(t *testing.T) {
	logger, out := newLogger(t, LogConfig{})
	logger.Info("a\x1b[2Jb\nc", "file", "x\x1b]0;title\a\n.jpg")
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("one call wrote %d lines: %q", n, out)
	}
	if strings.ContainsAny(out.String(), "\x1b\a") {
		t.Errorf("control characters came through: %q", out)
	}
}

func TestLevelsAndQuiet(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  LogConfig
		want string
	}{
		{"info by default", LogConfig{}, "INFO WARN ERROR"},
		{"debug", LogConfig{Level: "debug"}, "DEBUG INFO WARN ERROR"},
		{"any case", LogConfig{Level: "WARN"}, "WARN ERROR"},
		{"quiet wins", LogConfig{Level: "debug", Quiet: true}, "ERROR"},
		{"quiet json", LogConfig{Format: "json", Quiet: true}, "ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			logger, out := newLogger(t, c.cfg)
			logger.Debug("m")
			logger.Info("m")
			logger.Warn("m")
			logger.Error("m")
			got := strings.Join(regexp.MustCompile(`DEBUG|INFO|WARN|ERROR`).FindAllString(out.String(), -1), " ")
			if got != c.want {
				t.Errorf("got levels %q, want %q", got, c.want)
			}
		})
	}
}

func TestJSONLinesParse(t *testing.T) {
	logger, out := newLogger(t, LogConfig{Format: "json"})
	logger.Info("ready", "addr", ":8080")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["msg"] != "ready" || line["addr"] != ":8080" || line["level"] != "INFO" {
		t.Errorf("got %v", line)
	}
}

func TestColourOnlyOnATerminal(t *testing.T) {
	none := func(string) string { return "" }
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	if (LogConfig{Writer: writer, Getenv: none}).coloured() {
		t.Error("a pipe is coloured")
	}
	if (LogConfig{Writer: new(bytes.Buffer), Getenv: none}).coloured() {
		t.Error("a buffer is coloured")
	}

	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer terminal.Close()
	if !(LogConfig{Writer: terminal, Getenv: none}).coloured() {
		t.Error("a terminal is not coloured")
	}
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		set := func(key string) string {
			if key == name {
				return value
			}
			return ""
		}
		if (LogConfig{Writer: terminal, Getenv: set}).coloured() {
			t.Errorf("%s=%s is not honoured", name, value)
		}
	}
}

func TestColouredLinesHoldTheSameText(t *testing.T) {
	var plain, painted bytes.Buffer
	record := slog.NewRecord(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), slog.LevelError, "lost", 0)
	record.Add("peer", "p1")
	for out, paint := range map[*bytes.Buffer]bool{&plain: false, &painted: true} {
		if err := newTextHandler(out, slog.LevelInfo, paint).Handle(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(painted.String(), "\x1b[31mERROR\x1b[0m") {
		t.Errorf("an error is not red: %q", &painted)
	}
	if got := regexp.MustCompile("\x1b\\[\\d+m").ReplaceAllString(painted.String(), ""); got != plain.String() {
		t.Errorf("without colours: %q, want %q", got, &plain)
	}
}

func TestConcurrentLinesDoNotMix(t *testing.T) {
	logger, out := newLogger(t, LogConfig{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			mine := logger.With("a", 1)
			for range 50 {
				mine.Info("line", "b", 2)
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 400 {
		t.Fatalf("got %d lines, want 400", len(lines))
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, "INFO  line a=1 b=2") {
			t.Fatalf("mixed line %q", line)
		}
	}
}

func TestBadLogConfigIsNamed(t *testing.T) {
	for _, c := range []struct {
		cfg  LogConfig
		want string
	}{
		{LogConfig{Writer: os.Stderr, Format: "xml"}, `"xml"`},
		{LogConfig{Writer: os.Stderr, Level: "loud"}, `"loud"`},
		{LogConfig{}, "writer"},
	} {
		if _, err := NewLogger(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error that names %s", c.cfg, err, c.want)
		}
	}
}
