package metadata

import (
	"bytes"
	"regexp"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
)

// stale is what XMP says, by namespace, of things that stay behind: videos, gain maps, other pictures, depth, and the
// packet's own continuation.
var stale = []struct{ namespace, names string }{
	{"http://ns.google.com/photos/1.0/camera/", `(?:MotionPhoto|MicroVideo)\w*`},
	{"http://ns.google.com/photos/1.0/container/", `\w+`},
	{"http://ns.google.com/photos/1.0/container/item/", `\w+`},
	{"http://ns.google.com/photos/1.0/image/", `\w+`},
	{"http://ns.google.com/photos/1.0/audio/", `\w+`},
	{"http://ns.google.com/photos/1.0/depthmap/", `\w+`},
	{"http://ns.google.com/photos/dd/1.0/device/", `\w+`},
	{header.GainMapNamespace, `\w+`},
	{"http://ns.adobe.com/xmp/note/", "HasExtendedXMP"},
}

// withoutStale returns a packet without references to what no output carries. It returns nil where a packet cannot be
// cleaned without breaking it.
func withoutStale(packet []byte) []byte {
	out := packet
	for _, s := range stale {
		if !bytes.Contains(out, []byte(s.namespace)) {
			continue
		}
		declared := regexp.MustCompile(`\sxmlns:([\w.-]+)\s*=\s*["']` + regexp.QuoteMeta(s.namespace) + `["']`)
		for _, m := range declared.FindAllSubmatch(out, 8) {
			name := regexp.QuoteMeta(string(m[1])) + ":" + s.names
			for _, pattern := range []string{
				`\s` + name + `\s*=\s*(?:"[^"]*"|'[^']*')`, // as an attribute
				`<` + name + `(?:\s[^<>]*)?/>`,             // as an empty element
			} {
				out = regexp.MustCompile(pattern).ReplaceAll(out, nil)
			}
			out = withoutElements(out, regexp.MustCompile(`<(`+name+`)(?:\s[^<>]*)?>`))
			if !bytes.Contains(out, append(bytes.Clone(m[1]), ':')) {
				out = bytes.Replace(out, m[0], nil, 1)
			}
		}
	}
	if len(out) != len(packet) && !wellFormed(string(out)) {
		return nil
	}
	return out
}

// withoutElements cuts elements out, each from the tag with which it begins to the one with which it ends.
func withoutElements(packet []byte, begin *regexp.Regexp) []byte {
	for range 100 {
		m := begin.FindSubmatchIndex(packet)
		if m == nil {
			return packet
		}
		end := []byte("</" + string(packet[m[2]:m[3]]))
		n := bytes.Index(packet[m[1]:], end)
		if n < 0 {
			return packet
		}
		rest := packet[m[1]+n:]
		if bracket := bytes.IndexByte(rest, '>'); bracket >= 0 {
			rest = rest[bracket+1:]
		}
		packet = append(bytes.Clone(packet[:m[0]]), rest...)
	}
	return packet
}
