package isolate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Layer is one layer of the sandbox in which children decode, and whether it holds. The layers overlap: what one of
// them allows, another mostly denies.
type Layer struct {
	Name    string
	Missing string // why the layer does not hold on this machine; empty: it holds
}

// The names of the layers; Does says what each does. The network and Landlock surround a child from its start,
// no-new-privs and capabilities, too. The child adds the others before it is ready.
const (
	layerNoNewPrivs   = "no-new-privs"
	layerCapabilities = "capabilities"
	layerNetwork      = "network"
	layerLandlock     = "landlock"
	layerDescriptors  = "descriptors"
	layerFileSize     = "file-size"
	layerUndumpable   = "undumpable"
	layerSeccomp      = "seccomp"
	layerSealed       = "sealed-input"
)

const (
	maxLayers = 32
)

// Does says in a few words what the layer does.
func (l Layer) Does() string {
	switch l.Name {
	case layerNoNewPrivs:
		return "no program gives a decoder privileges"
	case layerCapabilities:
		return "decoders have no capabilities, even as root"
	case layerNetwork:
		return "decoders are in a network namespace without interfaces"
	case layerLandlock:
		return "decoders read system libraries alone, write no file, signal nobody outside"
	case layerDescriptors:
		return "decoders have the pipes to the worker, and can open nothing"
	case layerFileSize:
		return "decoders can make no file larger than 0 bytes"
	case layerUndumpable:
		return "no process of the same user can trace a decoder"
	case layerSeccomp:
		return "the kernel refuses decoders all system calls but a few"
	case layerSealed:
		return "decoders cannot write the memory that holds the images"
	}
	return ""
}

// layer returns a Layer that holds unless err says why not.
func layer(name string, err error) Layer {
	if err != nil {
		return Layer{Name: name, Missing: outcome.Clip(err.Error(), maxHeadline)}
	}
	return Layer{Name: name}
}

// Sandbox returns the layers of the sandbox as the last child that became ready reported them, or nil if none has. A
// child whose machine lacks a layer decodes without it.
func (e *Engine) Sandbox() []Layer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.sandbox)
}

// recordSandbox keeps the layers of a child that is ready, and logs what is missing when that changes.
func (e *Engine) recordSandbox(layers []Layer) {
	e.mu.Lock()
	same := slices.Equal(layers, e.sandbox)
	e.sandbox = layers
	e.mu.Unlock()
	if same {
		return
	}
	var missing []string
	for _, l := range layers {
		if l.Missing != "" {
			missing = append(missing, l.Name+" ("+l.Missing+")")
		}
	}
	level := slog.LevelInfo
	if slices.ContainsFunc(layers, func(l Layer) bool { return l.Name == layerSeccomp && l.Missing != "" }) {
		level = slog.LevelWarn // without the filter a child can make every system call
	}
	if len(missing) > 0 {
		e.cfg.Log.Log(context.Background(), level, "this machine lacks layers of the decoders' sandbox",
			"missing", strings.Join(missing, ", "))
	}
}

// ready is the first message of a child.
type ready struct {
	layers []Layer // that the child added, and those that it found missing
}

func (r ready) append(b []byte) []byte {
	b = append(appendU32(begin(b, kindReady), version), byte(len(r.layers)))
	for _, l := range r.layers {
		b = append16(append8(b, l.Name), l.Missing)
	}
	return finish(b)
}

func parseReady(kind byte, body []byte) (ready, error) {
	f := fields{b: body}
	if v := f.u32(); kind != kindReady || f.err != nil || v != version {
		return ready{}, fmt.Errorf("its first message is not ready: kind %d, %d bytes", kind, len(body))
	}
	n := f.u8()
	if n > maxLayers {
		return ready{}, fmt.Errorf("a sandbox of %d layers, more than %d", n, maxLayers)
	}
	var r ready
	for range n {
		l := Layer{Name: f.str(f.u8()), Missing: f.str(f.u16())}
		if f.err != nil {
			break
		}
		if err := checkWord(l.Name); err != nil {
			return ready{}, err
		}
		if outcome.Clip(l.Missing, maxHeadline) != l.Missing {
			return ready{}, fmt.Errorf("the layer %s says why it is missing in a text that is too long or not plain", l.Name)
		}
		r.layers = append(r.layers, l)
	}
	return r, f.end()
}
