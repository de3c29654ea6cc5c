package wire

import (
	"encoding/json"
	"maps"
	"slices"
)

// Carried is what travels with an image from its input to the sink: what its list says of it, and the files beside it.
// A task has it as a text, which a worker echoes as it is.
type Carried struct {
	URL      string            `json:"url,omitempty"`      // of an image of a web server, unless its name tells it
	Columns  map[string]string `json:"columns,omitempty"`  // of its row in a list, without the one of the URL
	Version  string            `json:"version,omitempty"`  // by which a later run asks whether the image has changed
	Sidecars map[string]string `json:"sidecars,omitempty"` // texts of files beside it in an archive, by extension
}

// Limits of what is carried.
const (
	MaxCarried     = 64 << 10 // of the text, bytes
	MaxColumns     = 32       // columns of a row
	MaxColumn      = 1 << 10  // of a column's name and of its value, bytes; longer values are cut
	MaxColumnBytes = 8 << 10  // of all columns of a row
	MaxVersion     = 1 << 10  // of a version, bytes
)

// Encode returns c as a text; empty if there is nothing to carry. Of what exceeds the limits it leaves out the sidecars
// first.
func (c Carried) Encode() string {
	c.Columns = TrimColumns(c.Columns)
	for range 2 {
		if c.URL == "" && c.Version == "" && len(c.Columns) == 0 && len(c.Sidecars) == 0 {
			return ""
		}
		text, err := json.Marshal(&c)
		if err == nil && len(text) <= MaxCarried {
			return string(text)
		}
		c.Sidecars = nil
	}
	return ""
}

// DecodeCarried returns what a text of Encode means.
func DecodeCarried(text string) (c Carried, err error) {
	if text == "" {
		return c, nil
	}
	if len(text) > MaxCarried {
		return c, malformed("what is carried has %d bytes (limit %d)", len(text), MaxCarried)
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Carried{}, malformed("what is carried: %v", err)
	}
	if len(c.Version) > MaxVersion {
		return Carried{}, malformed("what is carried has a version of %d bytes (limit %d)", len(c.Version), MaxVersion)
	}
	return c, checkColumns(c.URL, c.Columns)
}

// TrimColumns returns columns within the limits: values are cut, and the last columns in the order of their names are
// left out.
func TrimColumns(columns map[string]string) map[string]string {
	if checkColumns("", columns) == nil {
		return columns
	}
	trimmed := make(map[string]string)
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		value := CutText(columns[name], MaxColumn)
		if bytes += len(name) + len(value); len(name) > MaxColumn || bytes > MaxColumnBytes || len(trimmed) == MaxColumns {
			break
		}
		trimmed[name] = value
	}
	return trimmed
}

func checkColumns(url string, columns map[string]string) error {
	bytes := 0
	for name, value := range columns {
		if len(name) > MaxColumn || len(value) > MaxColumn {
			return malformed("a column of %d and %d bytes (limit %d)", len(name), len(value), MaxColumn)
		}
		bytes += len(name) + len(value)
	}
	if len(columns) > MaxColumns || bytes > MaxColumnBytes || len(url) > MaxName {
		return malformed("a URL of %d bytes, or %d columns of %d bytes: beyond the limits", len(url), len(columns), bytes)
	}
	return nil
}
