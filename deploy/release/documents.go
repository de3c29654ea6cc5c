package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/imagefarm/imagefarm/deploy/internal/licence"
)

// host builds the farm program for this machine and asks it for its version.
func (b *build) host(ctx context.Context) error {
	if err := compile(ctx, runtime.GOOS, runtime.GOARCH, b.work, "farm"); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, b.farm(), "--version").Output()
	if err != nil {
		return fmt.Errorf("asking for the version: %w", err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		if len(field) > 1 && field[0] == 'v' && field[1] >= '0' && field[1] <= '9' {
			b.version = field[1:]
			return nil
		}
	}
	return fmt.Errorf("no version in %q: build from a clone, not from an archive or a linked work tree", out)
}

func (b *build) farm() string {
	name := filepath.Join(b.work, "farm")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// thirdParty is the file with the licences of what the programs are built of.
const thirdParty = "THIRD-PARTY.txt"

// licences writes the licences of what the programs are built of. They ask to be handed on with the programs.
func (b *build) licences(ctx context.Context) error {
	parts, err := licence.Parts(ctx, ".", nil, "./farm")
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("The programs of imagefarm contain the following, under the licences below.\n")
	for _, p := range parts {
		fmt.Fprintf(&text, "\n%s\n%s %s\n%[1]s\n\n", strings.Repeat("=", 78), p.Name, p.Version)
		text.WriteString(strings.Join(p.Texts, "\n"))
	}
	return os.WriteFile(filepath.Join(b.work, thirdParty), []byte(text.String()), 0o644)
}

// documents writes manual pages, compressed as distributions want them, and completions.
func (b *build) documents(ctx context.Context) error {
	man := filepath.Join(b.work, "man")
	if err := run(ctx, nil, b.farm(), "man", man); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil || len(pages) == 0 {
		return fmt.Errorf("no manual pages in %s: %w", man, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(text); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(page+".gz", packed.Bytes(), 0o644); err != nil {
			return err
		}
	}
	dir := filepath.Join(b.work, "completions")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, program := range programs {
		for _, shell := range []string{"bash", "zsh", "fish"} {
			cmd := exec.CommandContext(ctx, b.farm(), "completion", shell)
			cmd.Args[0] = program // farm is all four programs, by the name it is called by
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("completion of %s for %s: %w", program, shell, err)
			}
			if err := os.WriteFile(filepath.Join(dir, program+"."+shell), out, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
