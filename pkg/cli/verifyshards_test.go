package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestOutputsInAShardThatIsOpenElsewhereAreNotMissing(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	dir, beside := t.TempDir(), t.TempDir()
	p, err := shard.Parse("tar:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	open := shard.OpenDir(p, "")
	ours, err := readShards(t.Context(), "tar:"+dir, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	if err := os.WriteFile(filepath.Join(beside, "part-000001.tar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]finding{
		"":                          {problem: "missing"},
		host + ":" + open:           {problem: "missing"},
		host + ":" + beside:         {openAt: host + ":" + beside, shard: "part-000001.tar"},
		host + ":" + dir:            {problem: "missing"},
		"other:" + open:             {openAt: "other:" + open, shard: "part-000001.tar"},
		"other:C:\\dataset\\shards": {openAt: "other:C:\\dataset\\shards", shard: "part-000001.tar"},
	} {
		v := &verification{store: ours, wrong: make(map[string]*problem)}
		o := wire.OutputInfo{Name: "a.jpg", Size: 1, Shard: "part-000001.tar", OpenAt: at}
		got, err := v.look(t.Context(), &o, recipe.Recipe{})
		if got.detail = ""; err != nil || got != want {
			t.Errorf("open at %q: %+v, %v", at, got, err)
		}
		v.take(&wire.Receipt{Filename: "a", Outputs: []wire.OutputInfo{o}}, []finding{got})
		var out strings.Builder
		if err := v.print(&out, false, false); err != nil {
			t.Fatal(err)
		}
		if open := strings.Contains(out.String(), "1 not checked: they are in the open shard part-000001.tar, on "); open !=
			(want.openAt != "") || open != (v.problems() == 0) {
			t.Errorf("open at %q: %s", at, out.String())
		}
	}
}
