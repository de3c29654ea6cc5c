package source

import (
	"context"
	"fmt"
	"hash/maphash"
	"path"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// shards is a source whose archives count as directories: each file in an archive is an entry of its own, named
// ARCHIVE/PATH. Archives within archives stay files.
type shards struct {
	base Source
	cfg  Config
	open openShards
}

// withShards returns base with its archives opened.
func withShards(base Source, cfg Config) Source { return &shards{base: base, cfg: cfg} }

// String implements Source.
func (s *shards) String() string { return s.base.String() }

// packing is how the files of an archive are packed; empty: it is no archive.
type packing string

const (
	tarOnly packing = ".tar"
	tarGzip packing = ".tar.gz"
	tarZstd packing = ".tar.zst"
	zipped  packing = ".zip"
)

// packingOf tells an archive by its name.
func packingOf(name string) packing {
	name = strings.ToLower(name)
	for _, p := range []packing{tarOnly, tarGzip, tarZstd, zipped} {
		if strings.HasSuffix(name, string(p)) {
			return p
		}
	}
	if strings.HasSuffix(name, ".tgz") {
		return tarGzip
	}
	return ""
}

// member says where in an archive an entry is.
type member struct {
	shard *Entry
	at    int64 // the offset of its bytes in the unpacked tar, or its index in the zip

	sidecars []sidecar // of the same key
}

// Walk implements Source.
func (s *shards) Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error {
	return s.base.Walk(ctx, func(e Entry) error { return s.expand(ctx, e, visit, omit) }, omit)
}

// expand visits an entry of the base or, if it is an archive, what is in it.
func (s *shards) expand(ctx context.Context, e Entry, visit func(Entry) error, omit func(Omission)) error {
	if packingOf(e.Name) == "" {
		return visit(e)
	}
	return s.walkShard(ctx, &e, visit, omit)
}

// found is a file in an archive.
type found struct {
	name    string
	at      int64 // as in member
	size    int64 // bytes
	special bool  // it is neither a file nor a directory
	refused *outcome.Rejection
}

// rest is the name of the entry that stands for the part of an archive that cannot be read.
const rest = "(rest)"

// walkShard visits the files of an archive. If the archive is damaged, it visits those before the damage, and then one
// entry that is refused.
func (s *shards) walkShard(ctx context.Context, e *Entry, visit func(Entry) error, omit func(Omission)) error {
	if *e = Identify(ctx, s.base, *e); e.Refused != nil {
		return visit(*e)
	}
	opened, err := s.open.acquire(ctx, s.base, e)
	if refused := refusalOf(err); refused != nil {
		e.Refused = refused
		return visit(*e)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		omit(Omission{Location: e.Location, Kind: Unreadable, Err: err})
		return nil
	}
	defer s.open.release(opened)
	seed := maphash.MakeSeed()
	seen := make(map[uint64]struct{}) // hashes of names
	whole := 0
	var last string
	var gathered together
	damage, err := opened.each(ctx, func(f found) error {
		whole++
		last = f.name
		in := s.entry(e, f)
		kind := s.cfg.leavesOut(in.Name)
		hash := maphash.String(seed, in.Name)
		if _, twice := seen[hash]; twice && kind == "" {
			kind = Repeated
		}
		seen[hash] = struct{}{}
		if f.special {
			kind = Special
		}
		if kind != "" {
			omit(Omission{Location: in.Location, Kind: kind})
			return nil
		}
		return gathered.add(in, omit, visit)
	})
	if err == nil {
		err = gathered.flush(visit)
	}
	if err != nil || damage == nil {
		return err
	}
	what := fmt.Sprintf("%s; whole files before the damage: %d", damage.Detail, whole)
	if last != "" {
		what += fmt.Sprintf(", the last is %q", last)
	}
	in := s.entry(e, found{name: rest, at: -1, refused: outcome.Reject(damage.Reason, "%s", what)})
	return visit(in)
}

// entry returns the entry of a file in the archive e.
func (s *shards) entry(e *Entry, f found) Entry {
	name := f.name
	if clean := path.Clean(name); !strings.HasPrefix(clean, "/") && !strings.HasPrefix(clean, "..") {
		name = clean // such as ./a.jpg; a name that leads out stays as it is and is refused
	}
	version := e.Version
	if version == "" {
		version = fmt.Sprintf("%d:%d", e.Size, e.Modified.UnixNano())
	}
	return Entry{
		Name: e.Name + "/" + name, Location: e.Location + "/" + name, Size: f.size, Modified: e.Modified,
		Identity: fmt.Sprintf("%s#%d", e.Identity, f.at), Version: fmt.Sprintf("%s#%d:%d", version, f.at, f.size),
		Refused: f.refused, in: &member{shard: e, at: f.at},
	}
}

// Open implements Source.
func (s *shards) Open(ctx context.Context, e Entry) (*File, error) {
	if e.in == nil {
		return s.base.Open(ctx, e)
	}
	opened, err := s.open.acquire(ctx, s.base, e.in.shard)
	if err != nil {
		return nil, err
	}
	data, err := opened.file(e.in.at, e.Size)
	if err != nil {
		s.open.release(opened)
		return nil, err
	}
	return &File{Reader: data, Closer: closer(func() error {
		err := data.Close()
		s.open.release(opened)
		return err
	}), Size: e.Size}, nil
}

// closer makes an io.Closer of a function.
type closer func() error

// Close implements io.Closer.
func (c closer) Close() error { return c() }

// identify implements identifier.
func (s *shards) identify(ctx context.Context, e Entry) Entry {
	if e.in != nil {
		return e
	}
	return Identify(ctx, s.base, e)
}

// head implements header.
func (s *shards) head(ctx context.Context, e Entry, n int) (*File, error) {
	if h, is := s.base.(header); is && e.in == nil {
		return h.head(ctx, e, n)
	}
	return s.Open(ctx, e)
}
