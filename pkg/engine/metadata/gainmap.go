package metadata

import (
	"bytes"
	"strconv"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
)

// withGainMap returns a packet that says that a gain map of so many bytes comes behind the picture. Where the packet is
// of an unknown form, it is replaced.
func withGainMap(packet []byte, length int) []byte {
	description := `<rdf:Description rdf:about="" xmlns:Container="http://ns.google.com/photos/1.0/container/"` +
		` xmlns:Item="http://ns.google.com/photos/1.0/container/item/" xmlns:hdrgm="` + header.GainMapNamespace + `"` +
		` hdrgm:Version="1.0"><Container:Directory><rdf:Seq>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="` +
		strconv.Itoa(length) + `"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description>`
	const end = "</rdf:RDF>"
	at := bytes.LastIndex(packet, []byte(end))
	if at < 0 {
		return []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/">` +
			`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + description + end + `</x:xmpmeta>`)
	}
	return bytes.Join([][]byte{packet[:at], []byte(description), packet[at:]}, nil)
}
