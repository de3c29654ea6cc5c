package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skip("no links here: ", err)
	}
}

func parse(t *testing.T, text string, cfg source.Config) source.Source {
	t.Helper()
	s, err := source.Parse(text, nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// walk returns the entries of a source, and what the walk left out as "KIND base".
func walk(t *testing.T, s source.Source) (entries []source.Entry, omitted []string) {
	t.Helper()
	err := s.Walk(t.Context(), func(e source.Entry) error {
		entries = append(entries, e)
		return nil
	}, func(o source.Omission) {
		omitted = append(omitted, fmt.Sprintf("%s %s", o.Kind, filepath.Base(o.Location)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, omitted
}

func names(entries []source.Entry) (names []string) {
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

// read returns what Open gives of an entry.
func read(s source.Source, e source.Entry) (string, error) {
	f, err := s.Open(context.Background(), e)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func TestDirectoryIsWalkedByName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.jpg", "a/c.jpg", "a/deep/er/d.jpg", ".hidden/e.jpg", "skip/f.jpg", "g.txt"} {
		write(t, filepath.Join(dir, name), name)
	}
	s := parse(t, dir, source.Config{Exclude: []string{"skip", "*.txt"}})
	entries, omitted := walk(t, s)
	if got := names(entries); !slices.Equal(got, []string{"a/c.jpg", "a/deep/er/d.jpg", "b.jpg"}) {
		t.Errorf("found %q", got)
	}
	if want := []string{"hidden .hidden", "excluded g.txt", "excluded skip"}; !slices.Equal(omitted, want) {
		t.Errorf("left out %q, not %q", omitted, want)
	}
	for _, e := range entries {
		if got, err := read(s, e); err != nil || got != e.Name || e.Size != int64(len(e.Name)) {
			t.Errorf("%s holds %q, %v", e.Location, got, err)
		}
	}
}

func TestArgumentThatIsALinkToADirectoryIsWalked(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "real", "below", "a.jpg"), "a")
	alias := filepath.Join(dir, "alias")
	link(t, filepath.Join(dir, "real"), alias)
	for _, text := range []string{alias, alias + "/"} {
		s := parse(t, text, source.Config{})
		entries, _ := walk(t, s)
		if !slices.Equal(names(entries), []string{"below/a.jpg"}) {
			t.Fatalf("%s: found %q", text, names(entries))
		}
		if got, err := read(s, entries[0]); err != nil || got != "a" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestLinksThatLeadOutAreLeftOutUnlessFollowed(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret.jpg"), "secret")
	write(t, filepath.Join(dir, "real", "a.jpg"), "a")
	link(t, filepath.Join(outside, "secret.jpg"), filepath.Join(dir, "out.jpg"))
	link(t, outside, filepath.Join(dir, "outdir"))
	link(t, "real", filepath.Join(dir, "indir"))
	link(t, filepath.Join("real", "a.jpg"), filepath.Join(dir, "in.jpg"))
	link(t, "../in.jpg", filepath.Join(dir, "real", "up.jpg"))
	link(t, "nowhere", filepath.Join(dir, "broken.jpg"))

	s := parse(t, dir, source.Config{})
	entries, omitted := walk(t, s)
	if got := names(entries); !slices.Equal(got, []string{"in.jpg", "real/a.jpg", "real/up.jpg"}) {
		t.Errorf("found %q", got)
	}
	want := []string{"unreadable broken.jpg", "symlinked directory indir", "link out of the input out.jpg",
		"symlinked directory outdir"}
	if !slices.Equal(omitted, want) {
		t.Errorf("left out %q, not %q", omitted, want)
	}
	for _, e := range entries {
		if got, err := read(s, e); err != nil || got != "a" {
			t.Errorf("%s holds %q, %v", e.Name, got, err)
		}
	}

	s = parse(t, dir, source.Config{FollowLinks: true})
	entries, _ = walk(t, s)
	if got := names(entries); !slices.Equal(got, []string{"in.jpg", "out.jpg", "real/a.jpg", "real/up.jpg"}) {
		t.Fatalf("found %q", got)
	}
	if got, err := read(s, entries[1]); err != nil || got != "secret" {
		t.Errorf("%q, %v", got, err)
	}
}

// swapped returns the error of reading a file that swap replaced after the walk.
func swapped(t *testing.T, content string, swap func(path string)) error {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jpg")
	write(t, path, content)
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	swap(path)
	_, err := read(s, entries[0])
	return err
}

func TestEntryThatWasReplacedIsNotOpened(t *testing.T) {
	for what, swap := range map[string]func(string){
		"by another file": func(path string) {
			write(t, path+".new", "12345")
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
		"by new content of the same size": func(path string) {
			write(t, path, "54321")
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		},
		"by a directory": func(path string) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if err := swapped(t, "12345", swap); !errors.Is(err, source.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEntryThatBecameALinkOutIsNotOpened(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "12345")
	err := swapped(t, "12345", func(path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		link(t, secret, path)
	})
	if err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("it was opened, or failed otherwise: %v", err)
	}
}

func TestDirectoryOfOutputsIsLeftOutUnlessItIsTheInput(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "pictures", "out")
	write(t, filepath.Join(dir, "pictures", "a.jpg"), "a")
	write(t, filepath.Join(out, "b_thumb.jpg"), "b")
	store, err := blob.OpenDir(out, blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	entries, omitted := walk(t, parse(t, dir, source.Config{Hidden: true}))
	if got := names(entries); !slices.Equal(got, []string{"pictures/a.jpg"}) {
		t.Errorf("found %q", got)
	}
	if !slices.Contains(omitted, "directory of outputs out") {
		t.Errorf("left out %q", omitted)
	}
	entries, _ = walk(t, parse(t, out, source.Config{}))
	if got := names(entries); !slices.Equal(got, []string{"b_thumb.jpg"}) {
		t.Errorf("found %q", got)
	}
	if !source.IsDir(dir, dir+"/.") || source.IsDir(dir, out) || source.IsDir("-", dir) {
		t.Error("IsDir does not tell the input from other directories")
	}
}

func TestListNamesFilesByTheirPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	secret := filepath.Join(t.TempDir(), "secret.jpg")
	write(t, secret, "secret")
	write(t, filepath.Join(dir, "sub", "a.jpg"), "a")
	write(t, filepath.Join(dir, "b.jpg"), "b")
	link(t, secret, filepath.Join(dir, "link.jpg"))
	list := "sub/a.jpg\r\n\nsub/../b.jpg\nb.jpg\n" + filepath.Join(dir, "sub", "a.jpg") + "\nsub\nlink.jpg\nnowhere.jpg\n"
	s, err := source.Parse("-", strings.NewReader(list), source.Config{})
	if err != nil {
		t.Fatal(err)
	}
	entries, omitted := walk(t, s)
	want := []string{"sub/a.jpg", "b.jpg", strings.TrimPrefix(filepath.ToSlash(filepath.Join(dir, "sub", "a.jpg")), "/")}
	if got := names(entries); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	if want := []string{"unreadable sub", "unreadable link.jpg", "unreadable nowhere.jpg"}; !slices.Equal(omitted, want) {
		t.Errorf("left out %q", omitted)
	}
	if got, err := read(s, entries[1]); err != nil || got != "b" || !entries[1].Named {
		t.Errorf("%q, %v", got, err)
	}
	link(t, secret, filepath.Join(dir, "argument.jpg"))
	one := parse(t, "argument.jpg", source.Config{})
	if entries, _ = walk(t, one); len(entries) != 1 || entries[0].Name != "argument.jpg" {
		t.Fatalf("found %v", entries)
	}
	if got, err := read(one, entries[0]); err != nil || got != "secret" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWalkThatIsCutSaysWhy(t *testing.T) {
	why := errors.New("a signal")
	ctx, cut := context.WithCancelCause(t.Context())
	cut(why)
	err := parse(t, t.TempDir(), source.Config{}).Walk(ctx, func(source.Entry) error { return nil },
		func(source.Omission) {})
	if !errors.Is(err, why) {
		t.Errorf("the walk ended with %v", err)
	}
}

func TestArgumentThatIsNoSourceIsRefused(t *testing.T) {
	for text, want := range map[string]string{"nowhere": `input "nowhere": `, os.DevNull: "neither a file nor a directory",
		"gs://bucket/photos": "no sources of the kind gs://"} {
		if _, err := source.Parse(text, nil, source.Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := source.Parse(".", nil, source.Config{Include: []string{"["}}); err == nil ||
		!strings.Contains(err.Error(), "malformed") {
		t.Errorf("%v", err)
	}
	if _, err := source.Parse("-", nil, source.Config{}); err == nil {
		t.Error("a list without a reader is taken")
	}
}

func TestFileWithANameThatIsNotUTF8IsFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("file systems refuse such names here")
	}
	dir := t.TempDir()
	for _, name := range []string{"caf\xe9.jpg", "tab\tbed.jpg"} {
		write(t, filepath.Join(dir, name), "a")
	}
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	if len(entries) != 2 {
		t.Fatalf("found %q", names(entries))
	}
	for _, e := range entries {
		if got, err := read(s, e); err != nil || got != "a" {
			t.Errorf("%q: %q, %v", e.Name, got, err)
		}
	}
}
