//go:build unix

package farmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limit bounds every single wait. It is long enough for a machine that is busy with other work.
const Limit = 90 * time.Second

// await waits until there, which is called with the lock, reports that what has been written.
func (p *Process) await(what string, there func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	for ended := false; ; {
		p.mu.Lock()
		ok, changed := there(), p.changed
		p.mu.Unlock()
		switch {
		case ok:
			return
		case ended:
			p.t.Fatalf("%s ended (%v) and never said %s", p.Name, p.Cmd.ProcessState, what)
		}
		select {
		case <-changed:
		case <-p.over:
			ended = true // look once more: its last words may have come meanwhile
		case <-deadline.C:
			p.t.Fatalf("%s did not say %s within %v", p.Name, what, Limit)
		}
	}
}

// AwaitLine waits for the nth line (from 1) that match accepts, in all that the process has written to standard
// error and will write.
func (p *Process) AwaitLine(what string, n int, match func(line string) bool) (found string) {
	p.t.Helper()
	at := 0
	p.await(what, func() bool {
		for ; at < len(p.lines); at++ {
			if found = p.lines[at]; match(found) {
				if n--; n == 0 {
					return true
				}
			}
		}
		return false
	})
	return found
}

// Await waits for the first JSON log record with that message and, if given, with those attributes (key, value, …).
func (p *Process) Await(message string, attributes ...string) map[string]any {
	p.t.Helper()
	return p.AwaitNth(1, message, attributes...)
}

// AwaitNth waits for the nth such record.
func (p *Process) AwaitNth(n int, message string, attributes ...string) map[string]any {
	p.t.Helper()
	var record map[string]any
	p.AwaitLine(fmt.Sprintf("%q %v (%d×)", message, attributes, n), n, func(line string) bool {
		record = make(map[string]any) // Unmarshal would merge into the last one
		if json.Unmarshal([]byte(line), &record) != nil || record["msg"] != message {
			return false
		}
		for pair := range slices.Chunk(attributes, 2) {
			if fmt.Sprint(record[pair[0]]) != pair[1] {
				return false
			}
		}
		return true
	})
	return maps.Clone(record)
}

// AwaitText waits until the process has written text to standard error, n times in all.
func (p *Process) AwaitText(text string, n int) {
	p.t.Helper()
	p.await(fmt.Sprintf("%q %d times", text, n), func() bool {
		found := strings.Count(string(p.partial), text)
		for _, line := range p.lines {
			found += strings.Count(line, text)
		}
		return found >= n
	})
}

// AwaitOutputLine waits for the first whole line on standard output that match accepts.
func (p *Process) AwaitOutputLine(what string, match func(line string) bool) {
	p.t.Helper()
	p.await(what, func() bool {
		for line := range strings.Lines(p.stdout.String()) {
			if strings.HasSuffix(line, "\n") && match(line) {
				return true
			}
		}
		return false
	})
}

// AwaitOutput waits until the process has written text to standard output.
func (p *Process) AwaitOutput(text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("%q on standard output", text), func() bool { return strings.Contains(p.stdout.String(), text) })
}
