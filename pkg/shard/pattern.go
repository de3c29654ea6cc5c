// Package shard writes outputs into tar files in the form of WebDataset.
//
// A Set is the shards of one farm. Each output is a sample of its own: KEY.EXT, KEY.json and perhaps further files,
// side by side. Key says how a key follows from an output's name.
//
// # What is visible when
//
// A shard that is not full is kept aside, in a directory of the farm's own: a reader of the final names finds whole
// shards only. It is published, by a link or an upload, once it is full, when the farm's last run ends, and by Close.
// A published shard is only ever replaced as a whole, by Rewrite.
//
// # What survives a killed process
//
// Append writes a group of samples and syncs it. The caller then commits what Append returns to the ledger, together
// with the entries of the outputs, and calls Committed. Open truncates every shard to the length that the ledger
// knows. So the shards hold the samples of committed entries and nothing else.
package shard

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// scheme begins the text of a flag that names a set of shards.
const scheme = "tar:"

// defaultName is the pattern of the names when a text names a directory alone.
const defaultName = "part-%06d.tar"

// Is reports whether the text of a flag means a set of shards.
func Is(text string) bool { return strings.HasPrefix(text, scheme) }

// Pattern says where shards are and what their names are.
type Pattern struct {
	Dir  string // a directory or s3://BUCKET/PREFIX
	Name string // such as part-%06d.tar
}

var number = regexp.MustCompile(`%(0[1-9])?d`)

// Parse returns the pattern of a text such as tar:DIR/part-%06d.tar or tar:s3://BUCKET/PREFIX/part-%06d.tar. A text
// that ends otherwise names the directory alone.
func Parse(text string) (Pattern, error) {
	at := strings.TrimPrefix(text, scheme)
	p := Pattern{Dir: at, Name: defaultName}
	if base := path.Base(filepath.ToSlash(at)); strings.HasSuffix(base, ".tar") {
		p = Pattern{Dir: strings.TrimSuffix(at[:len(at)-len(base)], "/"), Name: base}
	}
	if p.Dir == "" {
		p.Dir = "."
		if strings.HasPrefix(at, "/") {
			p.Dir = "/"
		}
	}
	switch plain := number.ReplaceAllString(p.Name, ""); {
	case !Is(text) || at == "":
		return p, fmt.Errorf("%q does not name shards: write tar:DIR/part-%%06d.tar", text)
	case len(number.FindAllString(p.Name, -1)) != 1 || strings.Contains(plain, "%"):
		return p, fmt.Errorf("%q: the name of the shards must have one number, such as %%06d", text)
	case strings.Contains(p.Dir, "%"):
		return p, fmt.Errorf("%q: only the last part of the name may have a number", text)
	case strings.HasPrefix(p.Dir, bucket.Scheme):
		if _, err := bucket.Parse(p.Dir); err != nil {
			return p, err
		}
	}
	return p, nil
}

// String returns the text from which Parse makes p.
func (p Pattern) String() string { return scheme + strings.TrimSuffix(p.Dir, "/") + "/" + p.Name }

// Remote reports whether the shards are in a bucket.
func (p Pattern) Remote() bool { return bucket.Is(p.Dir) }

// Absolute returns p with an absolute directory.
func (p Pattern) Absolute() (Pattern, error) {
	if p.Remote() {
		return p, nil
	}
	dir, err := filepath.Abs(p.Dir)
	p.Dir = dir
	return p, err
}

// Shard returns the name of the shard of that number.
func (p Pattern) Shard(n int64) string { return fmt.Sprintf(p.Name, n) }
