package source

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// row is a URL of a list.
type row struct {
	url     string
	number  int               // of its line or row, from 1
	columns map[string]string // the other columns
}

// Limits of a list.
const (
	maxURLLine = 1 << 20 // bytes of a line
	maxColumns = 32      // other columns that travel with an image; further ones are left out
	maxColumn  = 1 << 10 // bytes of a name, and of a value that is not cut
)

// addColumn adds a column to the row. It leaves out empty ones, and those beyond the limits.
func (r *row) addColumn(name, value string) {
	if name == "" || value == "" || len(name) > maxColumn || len(r.columns) >= maxColumns {
		return
	}
	if value = strings.ToValidUTF8(value, "\uFFFD"); len(value) > maxColumn {
		value = value[:maxColumn]
		for !utf8.ValidString(value) {
			value = value[:len(value)-1]
		}
	}
	if r.columns == nil {
		r.columns = make(map[string]string)
	}
	r.columns[strings.ToValidUTF8(name, "\uFFFD")] = value
}

// isURLList reports whether a file lists URLs, by its name.
func isURLList(file string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".txt", ".csv", ".jsonl", ".parquet":
		return true
	}
	return false
}

// eachOfList calls visit with each URL of a list.
func eachOfList(f *os.File, column string, visit func(row) error) error {
	ext := strings.ToLower(path.Ext(f.Name()))
	if ext == ".parquet" {
		return eachOfParquet(f, column, visit)
	}
	return eachURL(f, ext, column, visit)
}

// eachURL calls visit with each URL of a text: a .txt, .csv or .jsonl. It holds one line.
func eachURL(from io.Reader, ext, column string, visit func(row) error) error {
	switch ext {
	case ".csv":
		return eachOfCSV(from, column, visit)
	case ".jsonl":
		return eachLine(from, func(text string, n int) error {
			r, err := parseJSONRow(text, n, column)
			if err != nil {
				return err
			}
			return visit(r)
		})
	}
	return eachLine(from, func(text string, n int) error { return visit(row{url: text, number: n}) })
}

// eachLine calls visit with each line that is neither empty nor a comment.
func eachLine(r io.Reader, visit func(text string, n int) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxURLLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if err := visit(text, n); err != nil {
			return err
		}
	}
	return lines.Err()
}

func parseJSONRow(text string, n int, column string) (row, error) {
	r := row{number: n}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return r, fmt.Errorf("line %d: %w", n, err)
	}
	if err := json.Unmarshal(fields[column], &r.url); err != nil {
		return r, fmt.Errorf("line %d has no text named %q: name the column with --url-column", n, column)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var value string
		switch raw := fields[name]; {
		case name == column || string(raw) == "null":
		case json.Unmarshal(raw, &value) == nil:
			r.addColumn(name, value)
		default: // a number, or something with parts
			r.addColumn(name, string(raw))
		}
	}
	return r, nil
}

func eachOfCSV(from io.Reader, column string, visit func(row) error) error {
	rows := csv.NewReader(bufio.NewReader(from))
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	var names []string
	at := -1
	for n := 1; ; n++ {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 1 {
			for _, name := range fields {
				names = append(names, strings.Clone(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))))
			}
			if at = indexOfColumn(names, column); at < 0 {
				return fmt.Errorf("the first row names no column %q: name it with --url-column", column)
			}
			continue
		}
		r := row{number: n}
		for i, value := range fields {
			switch value = strings.TrimSpace(value); {
			case i == at:
				r.url = strings.Clone(value)
			case i < len(names):
				r.addColumn(names[i], strings.Clone(value))
			}
		}
		if err := visit(r); err != nil {
			return err
		}
	}
}

// indexOfColumn returns the index of the last column of that name, in whatever case; −1 if there is none.
func indexOfColumn(names []string, column string) int {
	at := -1
	for i, name := range names {
		if strings.EqualFold(name, column) {
			at = i
		}
	}
	return at
}
