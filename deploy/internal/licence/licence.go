// Package licence finds the licences of what the programs are built of: Go's own, those of modules, and those of
// libraries whose code this repository holds.
package licence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Part is a module or a library.
type Part struct {
	Name    string
	Version string
	Kinds   []string // SPDX identifiers, sorted; none if the text is of no kind that is known here
	Texts   []string // licences and notices, as they came
}

// embedded is the directory of libraries that are part of the programs without being modules.
const embedded = "pkg/engine/wasm/modules"

// fileNames are those of licences and notices.
var fileNames = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// kinds are told by words that no other licence has.
var kinds = []struct {
	name  string
	words *regexp.Regexp
}{
	{"Apache-2.0", regexp.MustCompile(`apache license,? version 2\.0`)},
	{"BSD-2-Clause", regexp.MustCompile(`redistribution and use in source and binary forms`)}, // unless it has the third
	{"BSD-3-Clause", regexp.MustCompile(`neither the names? .{0,300}endorse or promote products`)},
	{"GPL", regexp.MustCompile(`gnu (affero )?general public license version`)},
	{"ISC", regexp.MustCompile(`permission to use, copy, modify,? and/?(or)? distribute this software`)},
	{"LGPL-3.0", regexp.MustCompile(`gnu lesser general public license version 3`)},
	{"MIT", regexp.MustCompile(`permission is hereby granted, free of charge`)},
	{"MPL-2.0", regexp.MustCompile(`mozilla public license,? version 2\.0`)},
	{"Unlicense", regexp.MustCompile(`released into the public domain`)},
}

// Parts lists what the packages of the module in dir, such as "./farm", are built of, sorted by name. Flags are more
// flags of go list, such as -test. It needs the modules' files, which the go command fetches where they are missing.
func Parts(ctx context.Context, dir string, flags []string, packages ...string) ([]Part, error) {
	args := slices.Concat([]string{"list", "-deps", "-json=Module"}, flags, packages)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("where Go is: %w", err)
	}
	parts := []Part{{Name: "Go's standard library", Version: runtime.Version()}}
	if err := parts[0].read(strings.TrimSpace(string(root)), fileNames.MatchString); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("what go list says: %w", err)
		}
		m := p.Module
		if m == nil || m.Main || seen[m.Path] {
			continue
		}
		seen[m.Path] = true
		part := Part{Name: m.Path, Version: m.Version}
		if err := part.read(m.Dir, fileNames.MatchString); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		parts = append(parts, part)
	}
	files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(embedded), "LICENSE.*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		part := Part{Name: strings.TrimPrefix(filepath.Ext(file), "."), Version: "see " + embedded + "/README.md"}
		if err := part.read(filepath.Dir(file), func(name string) bool { return name == filepath.Base(file) }); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(x, y Part) int { return cmp.Compare(x.Name, y.Name) })
	return parts, nil
}

// read takes the licences among the files of a directory.
func (p *Part) read(dir string, take func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // of no known kind
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !take(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		p.Texts = append(p.Texts, string(text))
		p.Kinds = append(p.Kinds, kindsOf(string(text))...)
	}
	slices.Sort(p.Kinds)
	p.Kinds = slices.Compact(p.Kinds)
	return nil
}

// kindsOf returns the licences that a text consists of.
func kindsOf(text string) []string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	var found []string
	for _, k := range kinds {
		if k.words.MatchString(text) {
			found = append(found, k.name)
		}
	}
	for longer, shorter := range map[string]string{"BSD-3-Clause": "BSD-2-Clause", "LGPL-3.0": "GPL"} {
		if slices.Contains(found, longer) { // it repeats the other's words
			found = slices.DeleteFunc(found, func(name string) bool { return name == shorter })
		}
	}
	return found
}
