package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// volume is a ledger of a few pages.
type volume [][]wire.Receipt

func (p volume) Entries(_ context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	at := len(args.After)
	page := &wire.Entries{Entries: p[at]}
	if at+1 < len(p) {
		page.Next = strings.Repeat("x", at+1)
	}
	return page, nil
}

func (volume) Runs(context.Context) ([]wire.Run, error) { return nil, nil }

// claim is the entry of an image with outputs of those names and sizes.
func claim(image string, outputs ...any) wire.Receipt {
	r := wire.Receipt{ID: image, Filename: image, Outcome: outcome.Done}
	for pair := range slices.Chunk(outputs, 2) {
		r.Outputs = append(r.Outputs, wire.OutputInfo{Name: pair[0].(string), Size: int64(pair[1].(int))})
	}
	return r
}

// reader rejects what begins with the word that names a reason.
type reader struct{ decoded atomic.Int64 }

func (*reader) Name() string { return "reader" }

func (e *reader) Transform(_ context.Context, data []byte, _ recipe.Recipe) (*engine.Result, error) {
	e.decoded.Add(1)
	if strings.HasPrefix(string(data), "broken engine") {
		return nil, errors.New("the farm's fault")
	}
	for _, reason := range outcome.Reasons() {
		if strings.HasPrefix(string(data), string(reason)) {
			return nil, outcome.Reject(reason, "as it says")
		}
	}
	return &engine.Result{}, nil
}

func verify(t *testing.T, files map[string]string, e engine.Engine, ledger volume) (*verification, error) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	store, err := blob.OpenDir(dir, blob.Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	v := &verification{
		store:  store,
		engine: e,
		slots:  3,
		limit:  100,
		wrong:  make(map[string]*problem),
		tell:   func(uint64, uint64) {},
	}
	return v, v.run(t.Context(), ledger)
}

// found lists the problems as "problem name".
func found(t *testing.T, v *verification) (all []string) {
	t.Helper()
	if err := v.eachProblem(func(p *problem) error { all = append(all, p.Problem+" "+p.Name); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVerifyFindsOutputsThatDifferFromTheLedger(t *testing.T) {
	files := map[string]string{
		"d/good": "1234",
		"long":   "12345",
		"cut":    "truncated!",
		"large":  "too-large...",
		"huge":   strings.Repeat("x", 101),
		"hungry": "out-of-memory",
		"any":    "12",
		"dir/in": "",
	}
	ledger := volume{
		{claim("a.jpg", "d/good", 4, "gone", 7), claim("b.jpg", "long", 4)},
		{
			claim("c.jpg", "cut", 10, "large", 12, "huge", 101, "hungry", 13),
			claim("d.jpg", "any", 0, "dir", 3, "d/../escape", 3),
		},
	}
	e := new(reader)
	v, err := verify(t, files, e, ledger)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"missing gone", "wrong-size long", "unreadable cut", "missing dir", "missing d/../escape"}
	if got := found(t, v); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if s := v.summary(); s.Images != 4 || s.Outputs != 10 || s.Missing != 3 || s.WrongSize != 1 || s.Unreadable != 1 ||
		s.Unseen != 3 {
		t.Errorf("%+v", s)
	}
	if n := e.decoded.Load(); n != 5 {
		t.Errorf("%d were decoded, not those 5 that have the right size", n)
	}
	quick, err := verify(t, files, nil, ledger)
	if err != nil || quick.problems() != 4 {
		t.Errorf("quick finds %q, %v", found(t, quick), err)
	}
}

func TestVerifyNoticesAnotherPictureOfTheSameSize(t *testing.T) {
	ledger := volume{{claim("a.jpg", "right", 5, "swapped", 7, "replaced", 8)}, {claim("b.jpg", "replaced", 16)}}
	outputs := ledger[0][0].Outputs
	outputs[0].Sum, outputs[1].Sum, outputs[2].Superseded = wire.Checksum(
		[]byte("right"),
	), wire.Checksum(
		[]byte("swapped"),
	), true
	v, err := verify(
		t,
		map[string]string{"right": "right", "swapped": "another", "replaced": "by a later image"},
		new(reader),
		ledger,
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, v); !slices.Equal(got, []string{"wrong-content swapped"}) {
		t.Errorf("%q", got)
	}
	if s := v.summary(); s.Outputs != 3 || s.Images != 2 || s.WrongContent != 1 || s.Superseded != 1 {
		t.Errorf("%+v", s)
	}
}

// What a later entry of an image took over is not replaced, and the image is still one.
func TestVerifyCountsImagesAndWhatWasReplaced(t *testing.T) {
	entry := func(source, image string, sum uint32, superseded bool) wire.Receipt {
		r := claim(image, "x", 1)
		r.Source, r.Outputs[0].Sum, r.Outputs[0].Superseded = source, sum, superseded
		return r
	}
	pruned := claim("a.jpg", "pruned", 1)
	pruned.Source, pruned.Outputs[0].Superseded = "/one", true
	for name, c := range map[string]struct {
		entries    []wire.Receipt
		images     int
		superseded uint64
	}{
		"taken over": {[]wire.Receipt{
			entry("/one", "a.jpg", 7, true), entry("/one", "a.jpg", 7, true), entry("/one", "a.jpg", 7, false)}, 1, 0},
		"another content": {[]wire.Receipt{entry("/one", "a.jpg", 7, true), entry("/one", "a.jpg", 8, false)}, 1, 1},
		"another image":   {[]wire.Receipt{entry("/one", "a.jpg", 7, true), entry("/one", "b.jpg", 7, false)}, 2, 1},
		"another source":  {[]wire.Receipt{entry("/one", "a.jpg", 7, true), entry("/two", "a.jpg", 7, false)}, 2, 1},
		"twice": {[]wire.Receipt{
			entry("/one", "a.jpg", 7, true), entry("/one", "a.jpg", 8, true), entry("/one", "a.jpg", 8, false)}, 1, 1},
		"pruned": {[]wire.Receipt{pruned}, 1, 0},
	} {
		v, err := verify(t, map[string]string{"x": "1"}, nil, volume{c.entries})
		if err != nil {
			t.Fatal(err)
		}
		if s := v.summary(); s.Images != uint64(c.images) || s.Superseded != c.superseded || v.problems() != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// An image that changed has two entries that claim the same outputs: the later one is right.
func TestVerifyBelievesTheLastEntryOfAnOutput(t *testing.T) {
	files := map[string]string{"changed": "new bytes", "spoilt": "old"}
	ledger := volume{
		{claim("a.jpg", "changed", 3, "spoilt", 3)},
		{claim("a.jpg", "changed", 9), claim("a.jpg", "spoilt", 8), claim("a.jpg", "changed", 9)},
	}
	v, err := verify(t, files, nil, ledger)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, v); !slices.Equal(got, []string{"wrong-size spoilt"}) || v.wrong["spoilt"].Size != 8 {
		t.Errorf("%q", got)
	}
}

func TestVerifyReportsAFaultOfTheFarm(t *testing.T) {
	broken := map[string]string{"x": "broken engine"}
	if _, err := verify(t, broken, new(reader), volume{{claim("a", "x", 13)}}); err == nil {
		t.Error("the engine's failure was not told")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	v, _ := verify(t, nil, nil, volume{{}})
	if err := v.run(ctx, volume{{claim("a", "x", 1)}}); err == nil || err.Error() != "enough" {
		t.Errorf("after its end: %v", err)
	}
}

func TestVerifyBoundsItsList(t *testing.T) {
	v, err := verify(t, nil, nil, volume{{}})
	if err != nil {
		t.Fatal(err)
	}
	const n = maxProblems + 500
	for i := range n {
		r := claim("a", fmt.Sprint("output ", i), 1)
		v.take(&r, []finding{{problem: "missing"}})
	}
	if len(v.wrong) != maxProblems || v.more != 500 || v.problems() != n {
		t.Errorf("%d are remembered, %d counted", len(v.wrong), v.more)
	}
	var text strings.Builder
	if err := v.print(&text, false, false); err != nil || !strings.Contains(text.String(), "about 500 more") {
		t.Errorf("%v, %s", err, text.String()[max(0, text.Len()-200):])
	}
}

func TestVerifyOfADirectoryNamesTheShardsThatTheOutputsAreIn(t *testing.T) {
	for shard, want := range map[string]string{"part-000007.tar": "", "train-7.tar": "/PATTERN.tar"} {
		r := claim("a.jpg", "a", 1, "b", 1)
		for i := range r.Outputs {
			r.Outputs[i].Shard = shard
		}
		v, err := verify(t, nil, nil, volume{{r}})
		if want = "--out tar:" + v.store.Path() + want; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, not %q", shard, err, want)
		}
		var usage *exitError
		if !errors.As(err, &usage) || usage.code != ExitUsage {
			t.Errorf("%s: %v is no wrong usage", shard, err)
		}
		if len(v.wrong) > 0 {
			t.Errorf("%s: %q", shard, found(t, v))
		}
	}
}
