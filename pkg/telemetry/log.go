package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/imagefarm/imagefarm/pkg/printable"
)

// LogConfig configures a logger.
type LogConfig struct {
	// Format is "text" (one line for people) or "json" (one object a line). Empty means text.
	Format string

	// Level is the lowest level that is written: "debug", "info", "warn" or "error", in any case. Empty means info.
	Level string

	// Quiet restricts the output to errors, whatever Level is.
	Quiet bool

	// Writer receives the lines, one Write for each. Required. The programs use standard error, as standard output is for
	// data. Text is coloured when Writer is a terminal.
	Writer io.Writer

	// Getenv returns the variables NO_COLOR (https://no-color.org) and TERM. Nil means os.Getenv.
	Getenv func(string) string
}

// Validate returns an error that names the first invalid field, and why it is invalid.
func (c LogConfig) Validate() error {
	switch c.Format {
	case "", "text", "json":
	default:
		return fmt.Errorf("log format is %q: it must be text or json", c.Format)
	}
	if _, err := c.level(); err != nil {
		return err
	}
	if c.Writer == nil {
		return fmt.Errorf("log writer is missing: set Writer")
	}
	return nil
}

func (c LogConfig) level() (slog.Level, error) {
	if c.Quiet {
		return slog.LevelError, nil
	}
	switch strings.ToLower(c.Level) {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level is %q: it must be debug, info, warn or error", c.Level)
}

// coloured reports whether the writer is a terminal and the environment allows colours.
func (c LogConfig) coloured() bool {
	getenv := c.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	if getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	file, ok := c.Writer.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// NewLogger returns a logger.
func NewLogger(c LogConfig) (*slog.Logger, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	level, err := c.level()
	if err != nil {
		return nil, err
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(printable.NewWriter(c.Writer), &slog.HandlerOptions{Level: level})), nil
	}
	return slog.New(newTextHandler(c.Writer, level, c.coloured())), nil
}

// textHandler writes lines for people:
//
//	2006-01-02 15:04:05.000 INFO  worker joined peer=10.0.0.7 slots=8
//
// slog.TextHandler writes the attributes, so that groups, quoting and LogValuer behave as usual.
type textHandler struct {
	line  *textLine
	attrs slog.Handler // writes " key=value…\n" to line.attrs
	level slog.Level
	paint bool
}

// textLine is shared by all handlers derived from one logger. A handler builds and writes a line while it holds the
// lock.
type textLine struct {
	mu    sync.Mutex
	out   io.Writer
	whole bytes.Buffer
	attrs bytes.Buffer
}

// noMessage replaces the message that slog.TextHandler would repeat. No caller logs it by accident.
const noMessage = "\x00"

func newTextHandler(out io.Writer, level slog.Level, paint bool) *textHandler {
	line := &textLine{out: out}
	attrs := slog.NewTextHandler(&line.attrs, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			builtin := len(groups) == 0 &&
				(a.Key == slog.MessageKey && a.Value.Kind() == slog.KindString && a.Value.String() == noMessage ||
					a.Key == slog.LevelKey && a.Value.Kind() == slog.KindAny && isLevel(a.Value.Any()))
			if builtin {
				return slog.Attr{}
			}
			return a
		},
	})
	return &textHandler{line: line, attrs: attrs, level: level, paint: paint}
}

func isLevel(v any) bool { _, ok := v.(slog.Level); return ok }

func (h *textHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	derived.attrs = h.attrs.WithAttrs(attrs)
	return &derived
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	derived := *h
	derived.attrs = h.attrs.WithGroup(name)
	return &derived
}

func (h *textHandler) Handle(ctx context.Context, r slog.Record) error {
	bare := slog.NewRecord(time.Time{}, r.Level, noMessage, 0)
	r.Attrs(func(a slog.Attr) bool { bare.AddAttrs(a); return true })

	line := h.line
	line.mu.Lock()
	defer line.mu.Unlock()
	line.attrs.Reset()
	if err := h.attrs.Handle(ctx, bare); err != nil {
		return err
	}

	out := &line.whole
	out.Reset()
	if !r.Time.IsZero() {
		h.painted(out, faint, r.Time.Format("2006-01-02 15:04:05.000"))
		out.WriteByte(' ')
	}
	h.painted(out, levelColour(r.Level), fmt.Sprintf("%-5s", r.Level))
	out.WriteByte(' ')
	out.WriteString(printable.Line(r.Message))
	if attrs := bytes.TrimRight(line.attrs.Bytes(), "\n"); len(attrs) > 0 {
		out.WriteByte(' ')
		h.painted(out, faint, string(attrs))
	}
	out.WriteByte('\n')
	_, err := line.out.Write(out.Bytes())
	return err
}

// Terminal colours, as SGR parameters.
const (
	faint  = "2"
	red    = "31"
	yellow = "33"
	green  = "32"
)

func levelColour(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return red
	case level >= slog.LevelWarn:
		return yellow
	case level >= slog.LevelInfo:
		return green
	}
	return faint
}

func (h *textHandler) painted(out *bytes.Buffer, colour, text string) {
	if !h.paint {
		out.WriteString(text)
		return
	}
	out.WriteString("\x1b[" + colour + "m" + text + "\x1b[0m")
}
