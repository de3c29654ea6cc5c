package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

// Tools of a release, pinned. The go command fetches and builds them.
const (
	nfpm      = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0"
	cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
)

// packageConfig is what nfpm makes .deb and .rpm packages of. Each kind of distribution has its own directory of zsh
// completions.
var packageConfig = template.Must(template.New("nfpm").Parse(`name: imagefarm
arch: {{.Arch}}
platform: linux
version: "{{.Version}}"
mtime: {{.Time}}
section: graphics
priority: optional
maintainer: imagefarm maintainers <maintainers@users.noreply.github.com>
description: |-
  Distributed image-processing farm.
  A ventilator finds images, workers transform them, and a sink keeps a ledger in which every image is accounted for.
homepage: https://github.com/imagefarm/imagefarm
license: MIT
rpm: {buildhost: imagefarm}
contents:
  - {src: "{{.Farm}}", dst: /usr/bin/farm, file_info: {mode: 0755, mtime: {{.Time}}}}
  - {src: /usr/bin/farm, dst: /usr/bin/ventilator, type: symlink}
  - {src: /usr/bin/farm, dst: /usr/bin/worker, type: symlink}
  - {src: /usr/bin/farm, dst: /usr/bin/sink, type: symlink}
  - {src: deploy/systemd/imagefarm-sink.service, dst: /usr/lib/systemd/system/imagefarm-sink.service,
     file_info: {mode: 0644, mtime: {{.Time}}}}
  - {src: deploy/systemd/imagefarm-worker.service, dst: /usr/lib/systemd/system/imagefarm-worker.service,
     file_info: {mode: 0644, mtime: {{.Time}}}}
  - {src: LICENSE, dst: /usr/share/doc/imagefarm/copyright, file_info: {mode: 0644, mtime: {{.Time}}}}
  - {src: "{{.Work}}/{{.ThirdParty}}", dst: "/usr/share/doc/imagefarm/{{.ThirdParty}}",
     file_info: {mode: 0644, mtime: {{.Time}}}}
  - {src: "{{.Work}}/man/*.1.gz", dst: /usr/share/man/man1/, file_info: {mode: 0644, mtime: {{.Time}}}}
{{range .Programs}}
  - {src: "{{$.Work}}/completions/{{.}}.bash", dst: /usr/share/bash-completion/completions/{{.}},
     file_info: {mode: 0644, mtime: {{$.Time}}}}
  - {src: "{{$.Work}}/completions/{{.}}.zsh", dst: /usr/share/zsh/vendor-completions/_{{.}}, packager: deb,
     file_info: {mode: 0644, mtime: {{$.Time}}}}
  - {src: "{{$.Work}}/completions/{{.}}.zsh", dst: /usr/share/zsh/site-functions/_{{.}}, packager: rpm,
     file_info: {mode: 0644, mtime: {{$.Time}}}}
  - {src: "{{$.Work}}/completions/{{.}}.fish", dst: /usr/share/fish/vendor_completions.d/{{.}}.fish,
     file_info: {mode: 0644, mtime: {{$.Time}}}}
{{end}}`))

// packages makes the Linux packages of a program.
func (b *build) packages(ctx context.Context, goarch, farm string) error {
	var text bytes.Buffer
	err := packageConfig.Execute(&text, map[string]any{
		"Arch": goarch, "Version": b.version, "Time": b.at.Format(time.RFC3339), "Farm": farm, "Work": b.work,
		"Programs": programs, "ThirdParty": thirdParty,
	})
	if err != nil {
		return err
	}
	config := filepath.Join(b.work, "nfpm-"+goarch+".yaml")
	if err := os.WriteFile(config, text.Bytes(), 0o644); err != nil {
		return err
	}
	epoch := fmt.Sprintf("SOURCE_DATE_EPOCH=%d", b.at.Unix())
	for _, kind := range []string{"deb", "rpm"} {
		target := filepath.Join(b.out, fmt.Sprintf("imagefarm_%s_%s.%s", b.version, goarch, kind))
		err := run(ctx, []string{epoch}, "go", "run", nfpm, "package", "--config", config, "--packager", kind, "--target",
			target)
		if err != nil {
			return err
		}
	}
	return nil
}

// materials writes the bill of materials: every module that the programs are built of, with its licence and its sum.
func (b *build) materials(ctx context.Context) error {
	raw := filepath.Join(b.work, "sbom.json")
	if err := run(ctx, nil, "go", "run", cyclonedx, "app", "-json", "-licenses", "-noserial", "-main", "farm", "-output",
		raw, "."); err != nil {
		return err
	}
	text, err := os.ReadFile(raw)
	if err != nil {
		return err
	}
	var bill map[string]any
	if err := json.Unmarshal(text, &bill); err != nil {
		return fmt.Errorf("the bill of materials: %w", err)
	}
	if about, ok := bill["metadata"].(map[string]any); ok {
		about["timestamp"] = b.at.Format(time.RFC3339) // of the commit, not of the build
	}
	return b.write("imagefarm_"+b.version+"_sbom.cdx.json", func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(bill)
	})
}

// sums writes the SHA-256 of every file of the release, in the form that sha256sum -c reads.
func (b *build) sums(context.Context) error {
	entries, err := os.ReadDir(b.out)
	if err != nil {
		return err
	}
	return b.write("SHA256SUMS", func(w io.Writer) error {
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(b.out, e.Name()))
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%x  %s\n", sha256.Sum256(data), e.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}
