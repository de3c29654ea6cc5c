package sink

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// made is a worker's result of the variants named in outputs, of d/1.jpg.
func made(input taskid.Input, run, text string, only []string, outputs ...string) *wire.Result {
	r := &wire.Result{ID: input.ID(text).String(), Filename: "d/1.jpg", Outcome: outcome.Done}
	r.ResultInfo = wire.ResultInfo{Worker: "w", Run: run, Delivery: 1, Recipe: text, Only: only, InputBytes: 100}
	if len(only) > 0 {
		r.Input = []byte(input)
	}
	for _, name := range outputs {
		r.Outputs = append(r.Outputs, wire.Output{Name: "d/1_" + name + ".jpg", Width: 1, Height: 1,
			Data: []byte("pixels of " + name)})
	}
	return r
}

func TestOnlyUnknownVariantsAreMade(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	thumb, medium, small := "thumb=fit:64x64", "medium=fit:500x500", "medium=fit:400x400"
	s.send(made(input, "r1", recipetest.Canonical(t, thumb), nil, "thumb").Encode())
	s.await(wire.TopicTaskDone)

	ask := func(run string, of taskid.Input, variants ...string) wire.KnownVariants {
		t.Helper()
		known, err := s.client.Variants(t.Context(), wire.VariantsArgs{
			Run: run, Recipe: recipetest.Canonical(t, variants...),
			Images: []wire.VariantsOf{{Filename: "d/1.jpg", Input: []byte(of)}}})
		if err != nil {
			t.Fatal(err)
		}
		return known[0]
	}
	if known := ask("r2", input, thumb, medium); !slices.Equal(known.Names, []string{"thumb"}) || known.Receipt != nil {
		t.Errorf("of another size too: %+v", known)
	}
	for what, known := range map[string]wire.KnownVariants{
		"changed image":   ask("r2", taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(2, 0)), thumb, medium),
		"changed quality": ask("r2", input, thumb+",quality:50"),
		"another name":    ask("r2", input, "other=fit:64x64"),
	} {
		if known.Names != nil || known.Receipt != nil {
			t.Errorf("%s: %+v", what, known)
		}
	}

	both := recipetest.Canonical(t, thumb, medium)
	s.send(made(input, "r2", both, []string{"medium"}, "medium").Encode())
	r := s.await(wire.TopicTaskDone).(*wire.Receipt)
	if len(r.Outputs) != 2 || r.Outputs[0].Name != "d/1_thumb.jpg" || !r.Outputs[0].Earlier || r.Outputs[1].Earlier {
		t.Errorf("the receipt has %+v", r.Outputs)
	}
	counts, err := s.ledger.Counts("r2")
	if err != nil || counts.Done != 1 || counts.Outputs != 1 || counts.OutputBytes != int64(len("pixels of medium")) {
		t.Errorf("the run counts %+v, %v", counts, err)
	}
	settled := func(variants ...string) bool {
		t.Helper()
		id := input.ID(recipetest.Canonical(t, variants...))
		got, err := s.client.Settled(t.Context(), []taskid.ID{id}, true)
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Receipts) == 1
	}
	if !settled(thumb, medium) {
		t.Error("the completed entry does not settle its task")
	}

	// Another order, and a part, have nothing to make. Who asks without a run changes nothing.
	for _, run := range []string{"", "r3"} {
		for _, variants := range [][]string{{medium, thumb}, {medium}} {
			if known := ask(run, input, variants...); known.Receipt == nil || len(known.Names) != len(variants) {
				t.Errorf("%q: %+v", variants, known)
			}
			if is := settled(variants...); is != (run != "") {
				t.Errorf("run %q asked about %q, which is settled: %v", run, variants, is)
			}
		}
	}
	if counts, err := s.ledger.Counts("r3"); err != nil || counts.Settled() != 0 {
		t.Errorf("a run that made nothing counts %+v, %v", counts, err)
	}

	// A variant of that name, made otherwise, takes the file; then the first one must be made again, and nothing else.
	s.send(made(input, "r4", recipetest.Canonical(t, small), nil, "medium").Encode())
	s.await(wire.TopicTaskDone)
	if settled(thumb, medium) {
		t.Error("a task is settled though one of its outputs was replaced")
	}
	if known := ask("r5", input, thumb, medium); !slices.Equal(known.Names, []string{"thumb"}) {
		t.Errorf("after one was replaced: %+v", known)
	}
	if err := os.Remove(filepath.Join(s.out, "d", "1_thumb.jpg")); err != nil {
		t.Fatal(err)
	}
	if known := ask("r5", input, thumb, small); !slices.Equal(known.Names, []string{"medium"}) {
		t.Errorf("after one was removed: %+v", known)
	}
	if err := s.ledger.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPartOfATaskFailsWhenTheRestIsGone(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	both := recipetest.Canonical(t, "thumb=fit:64x64", "medium=fit:500x500")
	s.send(made(input, "r1", both, []string{"medium"}, "medium").Encode())
	if r := s.await(wire.TopicTaskFailed).(*wire.Receipt); r.Detail != `the earlier output "d/1_thumb.jpg" is gone` {
		t.Errorf("%+v", r)
	}
	if names, err := filepath.Glob(filepath.Join(s.out, "d", "*")); err != nil || names != nil {
		t.Errorf("written: %q, %v", names, err)
	}
}

func TestForgedPartsAreRefused(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	both := recipetest.Canonical(t, "thumb=fit:64x64", "medium=fit:500x500")
	another := made(input, "r1", both, []string{"medium"}, "medium")
	another.Input = []byte(taskid.InputOfMetadata("d/2.jpg", 100, time.Unix(1, 0)))
	for _, r := range []*wire.Result{
		another,
		made(input, "r1", both, []string{"medium"}, "thumb"),
		made(input, "r1", both, []string{"medium"}),
		made(input, "r1", both, []string{"large"}, "medium"),
	} {
		s.send(r.Encode())
	}
	s.send(made(input, "r1", both, nil, "thumb", "medium").Encode())
	s.await(wire.TopicTaskDone)
	if status, err := s.client.Status(t.Context()); err != nil || status.Refused != 4 || status.Done != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

// The outputs of an image that has another name now are copied, and what is missing of them is made.
func TestOutputsOfAMovedImageAreCopied(t *testing.T) {
	s := newStage(t)
	digest := sha256.Sum256([]byte("content"))
	input, moved := taskid.InputOfDigest("d/1.jpg", digest), taskid.InputOfDigest("e/2.jpg", digest)
	both := recipetest.Canonical(t, "thumb=fit:64x64", "medium=fit:500x500")
	first := made(input, "r1", both, nil, "thumb", "medium")
	first.Input = []byte(input)
	s.send(first.Encode())
	s.await(wire.TopicTaskDone)

	ask := func(run, text, name string, of taskid.Input) wire.KnownVariants {
		t.Helper()
		known, err := s.client.Variants(t.Context(), wire.VariantsArgs{Run: run, Recipe: text,
			Images: []wire.VariantsOf{{Filename: name, Input: []byte(of)}}})
		if err != nil {
			t.Fatal(err)
		}
		return known[0]
	}
	if known := ask("", both, "e/2.jpg", moved); known.Receipt == nil {
		t.Errorf("a dry run finds %+v", known)
	}
	if _, err := os.Stat(filepath.Join(s.out, "e")); err == nil {
		t.Error("a question without a run made something")
	}
	if known := ask("r2", both, "e/2.png", taskid.InputOfDigest("e/2.png", digest)); known.Names != nil {
		t.Errorf("outputs of another format: %+v", known)
	}
	if known := ask("r2", both, "e/2.jpg", moved); known.Receipt == nil {
		t.Fatalf("found %+v", known)
	}
	b, err := os.ReadFile(filepath.Join(s.out, "e", "2_medium.jpg"))
	if err != nil || string(b) != "pixels of medium" {
		t.Errorf("the copy is %q, %v", b, err)
	}
	e, ok, err := s.ledger.Lookup(moved.ID(both))
	if err != nil || !ok || !e.Unmade() || e.Filename != "e/2.jpg" {
		t.Errorf("%+v, %v, %v", e, ok, err)
	}

	more := recipetest.Canonical(t, "thumb=fit:64x64", "large=fit:900x900")
	again := taskid.InputOfDigest("f/3.jpg", digest)
	known := ask("r3", more, "f/3.jpg", again)
	if !slices.Equal(known.Names, []string{"thumb"}) || known.Receipt != nil {
		t.Errorf("of another recipe: %+v", known)
	}
	part := made(again, "r3", more, []string{"large"})
	part.Filename = "f/3.jpg"
	part.Outputs = []wire.Output{{Name: "f/3_large.jpg", Data: []byte("large pixels")}}
	s.send(part.Encode())
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); len(r.Outputs) != 2 || !r.Outputs[0].Earlier {
		t.Errorf("%+v", r)
	}
	if b, err := os.ReadFile(filepath.Join(s.out, "f", "3_thumb.jpg")); err != nil || string(b) != "pixels of thumb" {
		t.Errorf("the copy is %q, %v", b, err)
	}

	// What somebody changed is not copied.
	for _, name := range []string{"d/1_thumb.jpg", "e/2_thumb.jpg", "f/3_thumb.jpg"} {
		if err := os.WriteFile(filepath.Join(s.out, name), []byte("other  of thumb"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	last := taskid.InputOfDigest("g/4.jpg", digest)
	known = ask("r4", recipetest.Canonical(t, "thumb=fit:64x64"), "g/4.jpg", last)
	if known.Names != nil || known.Receipt != nil {
		t.Errorf("of a changed output: %+v", known)
	}
	if _, err := os.Stat(filepath.Join(s.out, "g", "4_thumb.jpg")); err == nil {
		t.Error("a changed output was copied")
	}
	if err := s.ledger.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
