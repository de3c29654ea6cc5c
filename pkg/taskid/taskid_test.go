package taskid

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// The vectors were computed by another program, in another language, from the package's documentation: an ID that
// changes makes every ledger out there forget what it settled.
func TestMetadataIDsKeepTheirPublishedVectors(t *testing.T) {
	for _, v := range []struct {
		name   string
		size   int64
		mtime  time.Time
		recipe string
		want   string
	}{
		{"2013/talk/slide 01.jpg", 123456, time.Unix(1383561000, 123456789), "thumbnail64=fit:64x64",
			"b816ff67ba922690b5acbebd45ec73e9"},
		{"", 0, time.Unix(0, 0), "", "ffc64f21cc5d4f5362bda19c2e0dbd4a"},
		{"é/ü.png", 1 << 40, time.Time{}, "x=gray", "f79e531b72e3ae29024249e96cb38a5c"},
		{"a\xff.jpg", 1, time.Unix(0, -1), "x=gray", "3c5ad2bf29f9ff341a1e09a74f68e63d"},
	} {
		if got := FromMetadata(v.name, v.size, v.mtime, v.recipe).String(); got != v.want {
			t.Errorf("FromMetadata(%q, %d, %v, %q) = %s, want %s", v.name, v.size, v.mtime, v.recipe, got, v.want)
		}
	}
}

func TestContentIDsKeepTheirPublishedVectors(t *testing.T) {
	for _, v := range []struct{ name, data, recipe, want string }{
		{"a.jpg", "hello", "thumbnail64=fit:64x64", "6460858b1c5c9db77f5979445835af7c"},
		{"", "", "", "965d6392cebc02b7089a2a69aea4c668"},
	} {
		if got := FromContent(v.name, []byte(v.data), v.recipe).String(); got != v.want {
			t.Errorf("FromContent(%q, %q, %q) = %s, want %s", v.name, v.data, v.recipe, got, v.want)
		}
		digest := sha256.Sum256([]byte(v.data))
		if got := InputOfDigest(v.name, digest).ID(v.recipe).String(); got != v.want {
			t.Errorf("InputOfDigest(%q, …).ID(%q) = %s, want %s", v.name, v.recipe, got, v.want)
		}
	}
}

func TestIDsDifferInEveryPartOfATask(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	ids := map[string]ID{
		"base":                FromMetadata("a.jpg", 7, at, "r"),
		"name":                FromMetadata("b.jpg", 7, at, "r"),
		"size":                FromMetadata("a.jpg", 8, at, "r"),
		"time":                FromMetadata("a.jpg", 7, at.Add(1), "r"),
		"recipe":              FromMetadata("a.jpg", 7, at, "s"),
		"field boundary":      FromMetadata("a.jp", 7, at, "gr"),
		"content":             FromContent("a.jpg", []byte("7"), "r"),
		"content, moved edge": FromContent("a.jpg7", nil, "r"),
	}
	seen := map[ID]string{}
	for what, id := range ids {
		if other, dup := seen[id]; dup {
			t.Errorf("%s and %s have the same id %s", what, other, id)
		}
		seen[id] = what
	}
}

func TestZoneOfATimeDoesNotChangeTheID(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	east := at.In(time.FixedZone("east", 9*3600))
	if FromMetadata("a", 1, at, "") != FromMetadata("a", 1, east, "") {
		t.Error("the same instant in another zone made another task")
	}
}

func TestTextAndBytesRoundTrip(t *testing.T) {
	id := FromContent("a.jpg", []byte("x"), "r")
	for _, s := range []string{id.String(), strings.ToUpper(id.String())} {
		if got, err := Parse(s); err != nil || got != id {
			t.Errorf("Parse(%q) = %v, %v", s, got, err)
		}
	}
	if got, err := FromBytes(id[:]); err != nil || got != id {
		t.Errorf("FromBytes = %v, %v", got, err)
	}
	text, err := json.Marshal(map[ID]ID{id: id})
	if err != nil {
		t.Fatal(err)
	}
	var back map[ID]ID
	if err := json.Unmarshal(text, &back); err != nil || back[id] != id {
		t.Errorf("JSON %s read back as %v, %v", text, back, err)
	}
}

func TestMalformedIDsAreRefused(t *testing.T) {
	long := strings.Repeat("a", 33)
	for _, s := range []string{"", "b816", strings.Repeat("g", 32), long, " " + long[:31]} {
		if id, err := Parse(s); err == nil || !id.IsZero() {
			t.Errorf("Parse(%q) = %v, %v; want an error and no id", s, id, err)
		}
	}
	for _, n := range []int{0, 15, 17} {
		if _, err := FromBytes(make([]byte, n)); err == nil {
			t.Errorf("FromBytes of %d bytes: no error", n)
		}
	}
}

func FuzzParseAcceptsOnlyWhatStringWrites(f *testing.F) {
	f.Add("b816ff67ba922690b5acbebd45ec73e9")
	f.Add("B816FF67BA922690B5ACBEBD45EC73E9")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse(s)
		if err != nil {
			if !id.IsZero() {
				t.Errorf("Parse(%q) returned an id with its error", s)
			}
			return
		}
		if !strings.EqualFold(id.String(), s) {
			t.Errorf("Parse(%q).String() = %q", s, id)
		}
	})
}

func TestDigestOfAnInput(t *testing.T) {
	digest := sha256.Sum256([]byte("hello"))
	for _, name := range []string{"", "a.jpg", strings.Repeat("x", 300)} {
		in := InputOfDigest(name, digest)
		if got, ok := in.Digest(); !ok || got != digest {
			t.Errorf("%q: %x, %v", name, got, ok)
		}
		for _, other := range []Input{in[1:], in[:len(in)-1], in + "x", "", InputOfVersion(name, string(digest[:]))} {
			if _, ok := other.Digest(); ok {
				t.Errorf("%q has a digest", other)
			}
		}
	}
}
