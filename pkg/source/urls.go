package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
)

// URLs is images on web servers: one, or those of a list. A walk asks no server. Entries are named after host and
// path, see urlName.
type URLs struct {
	text  string // the argument
	list  bool   // text is a file that lists URLs
	cfg   Config
	fetch *fetcher
	again repeats // of the list
}

// IsURL reports whether an argument is the URL of an image.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

func newURLs(text string, cfg Config) (*URLs, error) {
	cfg.Web = cfg.Web.withDefaults()
	u := &URLs{text: text, list: !IsURL(text), cfg: cfg, fetch: newFetcher(cfg.Web)}
	if u.list {
		return u, nil
	}
	_, _, err := parseURL(text)
	return u, err
}

// String implements Source.
func (u *URLs) String() string { return u.text }

// Walk implements Source. It reads a list as it goes, and leaves repeated URLs out. The first walk reads it twice.
func (u *URLs) Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error {
	number := uint64(0) // of the URL in the list
	one := func(text, where string, columns map[string]string) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name, at, err := parseURL(text)
		if err != nil {
			omit(Omission{Location: where, Kind: Unreadable, Err: err, List: u.listed()})
			return nil
		}
		if number++; u.again.has(number) {
			return nil
		}
		if kind := u.cfg.leavesOut(name); kind != "" {
			omit(Omission{Location: at, Kind: kind})
			return nil
		}
		return visit(Entry{Name: name, Location: at, Identity: at, Version: at, Named: true, Image: true,
			Columns: columns})
	}
	if !u.list {
		return one(u.text, u.text, nil)
	}
	f, err := os.Open(u.text)
	if err != nil {
		omit(Omission{Location: u.text, Kind: Unreadable, Err: cause(err), List: u.text})
		return nil
	}
	defer f.Close()
	if err := u.again.find(ctx, f, u.cfg.Web.Column); err != nil {
		return err
	}
	var visitErr error
	err = eachOfList(f, u.cfg.Web.Column, func(r row) error {
		visitErr = one(r.url, fmt.Sprintf("%s:%d", u.text, r.number), r.columns)
		return visitErr
	})
	if err != nil && visitErr == nil {
		omit(Omission{Location: u.text, Kind: Unreadable, Err: err, List: u.text})
		return nil
	}
	return err
}

// listed returns the list; empty: the argument is a URL.
func (u *URLs) listed() string {
	if u.list {
		return u.text
	}
	return ""
}

// parseURL returns the name of the image at a URL, and the URL without its fragment.
func parseURL(text string) (name, at string, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", "", errors.New("it is no URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", "", errors.New("it is no http or https URL")
	case u.User != nil:
		return "", "", errors.New("it has a user name or a password, which would stand in the ledger: remove them")
	}
	u.Fragment, u.RawFragment = "", ""
	return urlName(u), u.String(), nil
}

// urlName names the image at a URL: HOST/PATH. A port follows the host behind an underscore. Segments are unescaped;
// an escaped slash becomes an underscore; empty segments are dropped. A path that ends with a slash gets "index". A
// query adds a tilde and eight digits of its hash before the extension.
func urlName(u *url.URL) string {
	parts := []string{strings.ReplaceAll(strings.ToLower(u.Host), ":", "_")}
	for part := range strings.SplitSeq(u.EscapedPath(), "/") {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		if part != "" {
			parts = append(parts, strings.ReplaceAll(part, "/", "_"))
		}
	}
	if len(parts) == 1 || strings.HasSuffix(u.Path, "/") {
		parts = append(parts, "index")
	}
	name := strings.Join(parts, "/")
	if u.RawQuery == "" {
		return name
	}
	sum := sha256.Sum256([]byte(u.RawQuery))
	ext := path.Ext(path.Base(name))
	return strings.TrimSuffix(name, ext) + "~" + hex.EncodeToString(sum[:4]) + ext
}

// identify implements identifier: it asks the server by HEAD. When the server says nothing useful, the URL alone
// identifies the image.
func (u *URLs) identify(ctx context.Context, e Entry) Entry {
	a, err := u.fetch.head(ctx, e.Location)
	return u.complete(e, a, err)
}

// complete completes an entry by what its server answers.
func (u *URLs) complete(e Entry, a answer, err error) Entry {
	if refused := refusalOf(err); refused != nil {
		e.Refused, e.Version = refused, e.Location+"\x00"+string(refused.Reason)
		return e
	}
	if err != nil {
		return e // reading it tries again, and tells
	}
	e.Size, e.Modified, e.Version = max(0, a.size), a.modified, KnownVersion(e, a.marks())
	return e
}

// Open implements Source. It reads the whole image, which has at most Config.Web.MaxBody bytes, unless Revisit or
// Digest has.
func (u *URLs) Open(ctx context.Context, e Entry) (*File, error) {
	if file := e.held.open(); file != nil {
		return file, nil
	}
	e.Identity = "" // a server that answers HEAD otherwise is no reason to fail
	return u.fetch.open(ctx, e)
}
