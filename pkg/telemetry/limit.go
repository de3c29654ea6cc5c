package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A logger of Limited logs a message at most linesAtOnce times in linesPeriod.
const (
	linesAtOnce = 100
	linesPeriod = 10 * time.Second
)

// Limited returns a logger for lines that strangers can cause, as often as they like. Each message is logged at most
// 100 times in 10 s; a line after that says how many were not logged. The messages must be constants: one is never
// forgotten.
func Limited(log *slog.Logger) *slog.Logger {
	return slog.New(limitedHandler{log.Handler(), &lineLimits{byMessage: make(map[string]*lineLimit)}})
}

type limitedHandler struct {
	slog.Handler
	limits *lineLimits
}

func (h limitedHandler) Handle(ctx context.Context, r slog.Record) error {
	ok, suppressed := h.limits.allow(r.Message, r.Time)
	if !ok {
		return nil
	}
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("not logged", suppressed))
	}
	return h.Handler.Handle(ctx, r)
}

func (h limitedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limitedHandler{h.Handler.WithAttrs(attrs), h.limits}
}

func (h limitedHandler) WithGroup(name string) slog.Handler {
	return limitedHandler{h.Handler.WithGroup(name), h.limits}
}

// lineLimits has the limit of each message. It is safe for concurrent use.
type lineLimits struct {
	mu        sync.Mutex
	byMessage map[string]*lineLimit
}

type lineLimit struct {
	begun      time.Time
	lines      int
	suppressed int
}

// allow reports whether the message may be logged now, and how often it was not since it was logged last.
func (l *lineLimits) allow(message string, now time.Time) (ok bool, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byMessage[message]
	if m == nil {
		m = new(lineLimit)
		l.byMessage[message] = m
	}
	if now.Sub(m.begun) >= linesPeriod {
		m.begun, m.lines = now, 0
	}
	if m.lines == linesAtOnce {
		m.suppressed++
		return false, 0
	}
	m.lines++
	suppressed, m.suppressed = m.suppressed, 0
	return true, suppressed
}
