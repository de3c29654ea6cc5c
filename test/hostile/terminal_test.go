//go:build linux

package hostile

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/imagefarm/imagefarm/pkg/cli"
	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// evil would be a formula, clear a screen, set a title, paint by a C1 control, turn the text around and begin a line.
const evil = "=1+1\x1b[2J\x1b]0;title\a\u009b31m\x9b31m\u202e\u2066\r\nforged line"

// mustBeHarmless checks what a program printed.
func mustBeHarmless(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "forged line") && !strings.Contains(what, "--html") { // HTML ignores line breaks
			t.Errorf("%s: a text forged a line: %q", what, line)
		}
	}
	bad := strings.IndexFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069
	})
	if bad >= 0 || !utf8.ValidString(text) {
		t.Errorf("%s: printed %q", what, text[max(0, bad-40):min(len(text), bad+40)])
	}
}

// fill sets all texts inside v to evil, and makes slices and maps of one element.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(evil)
	case reflect.Int, reflect.Int64, reflect.Uint64:
		if v.CanInt() {
			v.SetInt(1)
		} else {
			v.SetUint(1)
		}
	case reflect.Struct:
		if _, is := v.Interface().(time.Time); is {
			v.Set(reflect.ValueOf(time.Now().Add(-time.Minute)))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(evil).Convert(v.Type().Key()), value)
	}
}

// evilSink answers control calls with evil texts, or refuses all of them with one, and publishes evil events.
func evilSink(t *testing.T, refuses bool) (control, events string) {
	t.Helper()
	f := farmtest.New(t, programs, t.TempDir())
	rep, err := zsock.NewRep(zsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := zsock.NewPub(zsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rep.Listen(f.Control)
	_, err2 := pub.Listen(f.Events)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
		_, _ = rep.Close(context.Background()), pub.Close(context.Background())
	})
	running.Go(func() {
		_ = rep.Serve(ctx, func(_ context.Context, m zsock.Message) zsock.Message { return evilAnswer(m, refuses) })
	})
	running.Go(func() {
		for ctx.Err() == nil {
			var r wire.Receipt
			fill(reflect.ValueOf(&r).Elem())
			_ = pub.Publish(zsock.Message(wire.EncodeEvent(evil, &r)))
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return f.Control, f.Events
}

func evilAnswer(m zsock.Message, refuses bool) zsock.Message {
	request, err := wire.DecodeRequest(m[0])
	if err != nil || refuses {
		return zsock.Message{wire.EncodeError(errors.New(evil))}
	}
	var value any
	switch request.Op {
	case wire.OpStatus:
		value = new(wire.Status)
	case wire.OpRuns:
		value = new(wire.Runs)
	case wire.OpEntries:
		value = new(wire.Entries)
	default:
		return zsock.Message{wire.EncodeError(errors.New(evil))}
	}
	fill(reflect.ValueOf(value).Elem())
	switch v := value.(type) {
	case *wire.Status:
		v.Next, v.Runs[0].Ended = "", time.Time{}
	case *wire.Runs:
		v.Next = ""
	case *wire.Entries:
		v.Next, v.Entries[0].Outcome = "", outcome.Rejected
		v.Entries[0].Known = &known.Facts{SHA256: make(known.Digest, known.DigestSize)}
		v.Entries = append(v.Entries, v.Entries[0])
		v.Entries[1].Filename += "2"
	}
	return zsock.Message{wire.EncodeReply(value)}
}

// remote are the arguments of all commands that ask a sink, several for some.
var remote = map[string][][]string{
	"status":  {{}, {"--json"}},
	"workers": {{}, {"--json"}},
	"events":  {{"--count", "2"}, {"--count", "2", "--json"}},
	"pause":   {{}}, "resume": {{}}, "cancel": {{}},
	"runs":       {{}, {"--json"}},
	"rejects":    {{}, {"--json"}, {"--csv"}, {"--ack"}},
	"retry":      {{}},
	"backup":     {{"/nowhere/backup.db"}},
	"verify":     {{}, {"--json"}, {"--quick"}},
	"duplicates": {{}, {"--json"}},
	"report":     {{}, {"--json"}, {"--csv"}, {"--html", "-"}},
}

// without are the commands that print nothing of peers, or of which the other test prints all.
var without = []string{"run", "bench", "compact", "codecs", "doctor", "health", "tls", "token", "tunnel", "man",
	"as-owner", "help", "completion", "prune"}

// Found: escape sequences of a sink, a worker or a file reached the terminal in status (version), rejects (reason),
// events (topic), CSV and errors, and C1 and bidirectional controls everywhere.
func TestNothingOfASinkChangesTheTerminal(t *testing.T) {
	for _, c := range cli.FarmProgram().Commands {
		if _, ok := remote[c.Name]; !ok && !strings.Contains(" "+strings.Join(without, " ")+" ", " "+c.Name+" ") {
			t.Errorf("this test does not know farm %s", c.Name)
		}
	}
	for _, refuses := range []bool{false, true} {
		control, events := evilSink(t, refuses)
		for command, variants := range remote {
			for _, args := range variants {
				all := append([]string{command, "--control", control}, args...)
				if command == "events" {
					all = append(all, "--events", events)
				}
				f := farmtest.New(t, programs, t.TempDir())
				p := f.Start(command, "farm", all...)
				p.Wait()
				mustBeHarmless(t, strings.Join(all, " "), p.Output()+"\n"+strings.Join(p.Log(), "\n"))
				if !names(p.Said()) && command != "backup" {
					t.Errorf("%s printed nothing of the sink: %s", strings.Join(all, " "), p.Said())
				}
				if len(args) > 0 && args[0] == "--csv" {
					mustBeNoFormula(t, p.Output())
				}
			}
		}
	}
}

// names reports whether an evil text was printed at all.
func names(text string) bool { return strings.Contains(strings.ReplaceAll(text, "&#43;", "+"), "1+1") }

func mustBeNoFormula(t *testing.T, text string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Errorf("%v in %q", err, text)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
}

// The same of the names of files, and of what decoders say of their contents.
func TestNamesOfFilesDoNotChangeTheTerminal(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	picture, err := os.ReadFile(filepath.Join(album(t, 1), "000.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{
		"=1+1\x1b[2J.jpg", "=1+1\u009b31m.jpg", "=1+1\x9b31m.jpg", "=1+1\u202egpj.jpg", "=1+1\r\nforged line.jpg", "@1+1.jpg",
	} {
		if err := os.WriteFile(filepath.Join(in, "good "+name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(in, name), picture[:20+i], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(in, "=1+1\x1b[2J"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := farmtest.New(t, programs, out)
	check := func(args ...string) {
		t.Helper()
		p := f.Start(args[0], "farm", args...)
		p.Wait()
		mustBeHarmless(t, strings.Join(args, " "), p.Output()+"\n"+strings.Join(p.Log(), "\n"))
		if !names(p.Said()) {
			t.Errorf("%s printed no name: %s", strings.Join(args, " "), p.Said())
		}
		for _, a := range args {
			if a == "--csv" {
				mustBeNoFormula(t, p.Output())
			}
		}
	}
	check("run", "--dry-run", "--http", "", "--out", out, in)
	check("run", "--dry-run", "--progress", "json", "--http", "", "--out", out, in)
	check("run", "--http", "", "--out", out, "--progress", "plain", "--log-level", "debug", in)
	check("run", "--http", "", "--out", out, "--force", "--progress", "json", "--log-level", "debug",
		"--log-format", "json", in)
	check("rejects", "--out", out)
	check("rejects", "--out", out, "--json")
	check("rejects", "--out", out, "--csv")
	check("report", "--out", out)
	check("report", "--out", out, "--json")
	check("report", "--out", out, "--csv")
	check("report", "--out", out, "--html", "-")
	made, err := filepath.Glob(filepath.Join(out, "good*"))
	if err != nil || len(made) == 0 {
		t.Fatalf("%d outputs, %v", len(made), err)
	}
	originals, err := filepath.Glob(filepath.Join(in, "good*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range originals {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	check("prune", "--dry-run", "--out", out, in)
	check("prune", "--dry-run", "--json", "--out", out, in)
	for _, name := range made {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	check("verify", "--out", out)
	check("verify", "--out", out, "--json")
}
