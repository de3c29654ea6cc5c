package shard

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// Sample is an output and what is told of it.
type Sample struct {
	Name     string // of the output
	Data     []byte
	About    About
	Sidecars map[string][]byte // files beside the image, by extension: those of SidecarExtensions
}

// About is the .json of a sample. The Set completes Key, Name, File, Size, SHA256 and Sidecar.
type About struct {
	Key       string `json:"key"`
	Name      string `json:"name"`   // of the output, as the ledger has it
	File      string `json:"file"`   // of the output in the shard
	Size      int64  `json:"size"`   // bytes
	SHA256    string `json:"sha256"` // hexadecimal digits
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Filename  string `json:"filename"`            // of the image
	Source    string `json:"source,omitempty"`    // path or URL of the image
	ThumbHash []byte `json:"thumbhash,omitempty"` // of the image, in base64
	// Columns is what the list that names the image says of it.
	Columns map[string]string `json:"columns,omitempty"`
	Sidecar json.RawMessage   `json:"sidecar,omitempty"` // the .json that lay beside the image
}

const sidecarJSON = "json"

// blockSize is the unit of tar files, bytes.
const blockSize = 512

// trailerSize is the length of the end of a tar file: two blocks of zeros.
const trailerSize = 2 * blockSize

// room bounds what a sample takes in a shard, bytes.
func (s *Sample) room() int64 {
	n := int64(len(s.Data)) + int64(len(s.Name)) + 2048
	for name, value := range s.About.Columns {
		n += int64(len(name) + len(value))
	}
	for ext, data := range s.Sidecars {
		n += int64(len(data)+len(ext)) + int64(len(s.Name)) + 2*blockSize
	}
	return n + 8*blockSize
}

// write writes the sample to a tar file that continues at offset, and returns its place there without the shard. The
// same sample makes the same bytes.
func (s *Sample) write(w *counter) (ledger.Sample, error) {
	key, ext := Key(s.Name)
	sum := sha256.Sum256(s.Data)
	kind := s.extension(ext)
	s.About.Key, s.About.Name, s.About.File = key, s.Name, key+"."+kind
	s.About.Size, s.About.SHA256 = int64(len(s.Data)), hex.EncodeToString(sum[:])
	if beside := s.Sidecars[sidecarJSON]; json.Valid(beside) {
		s.About.Sidecar = beside
	}
	about, err := json.Marshal(&s.About)
	if err != nil {
		return ledger.Sample{}, err
	}
	t := tar.NewWriter(w)
	at, err := member(t, w, s.About.File, s.Data)
	if err != nil {
		return ledger.Sample{}, err
	}
	if _, err := member(t, w, key+"."+sidecarJSON, append(about, '\n')); err != nil {
		return ledger.Sample{}, err
	}
	for _, other := range SidecarExtensions() {
		if data, is := s.Sidecars[other]; is && other != kind && other != sidecarJSON {
			if _, err := member(t, w, key+"."+other, data); err != nil {
				return ledger.Sample{}, err
			}
		}
	}
	return ledger.Sample{Key: key, Place: ledger.Place{Offset: at, Size: s.About.Size, Ext: ext}}, t.Flush()
}

// extension returns the extension of the output in the shard, of which readers learn the decoder: that of the output's
// name, ext, if it is that of an image format, and else that of the format that the output has.
func (s *Sample) extension(ext string) string {
	if format.OfFile("x."+ext).Name != "" {
		return ext
	}
	if is := format.Of(format.Detect(s.Data)); len(is.Extensions) > 0 {
		return strings.TrimPrefix(is.Extensions[0], ".")
	}
	return ext
}

// SidecarExtensions are the extensions of the files beside an image that travel with it.
func SidecarExtensions() []string { return []string{"cls", sidecarJSON, "txt"} }

// member writes a file, and returns the offset of its first byte.
func member(t *tar.Writer, w *counter, name string, data []byte) (int64, error) {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}
	if err := t.WriteHeader(h); err != nil {
		return 0, fmt.Errorf("%q: %w", name, err)
	}
	at := w.n
	_, err := io.Copy(t, bytes.NewReader(data))
	return at, err
}

// counter counts what is written. n begins with the length of the file.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
