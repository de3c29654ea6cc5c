// Package wasm runs codecs that are compiled to WebAssembly, each in a sandbox with a memory of its own. It translates
// them to machine code, and can keep that in a [Cache], because translating takes up to two seconds.
package wasm

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // of the modules
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

var (
	//go:embed modules/hevc-decode.wasm.gz
	hevcDecode []byte
	//go:embed modules/av1-decode.wasm.gz
	av1Decode []byte
	//go:embed modules/av1-encode.wasm.gz
	av1Encode []byte
	//go:embed modules/webp-encode.wasm.gz
	webpEncode []byte
)

// The codecs. modules/README.md says where they come from.
var (
	HEVCDecoder = &Module{name: "hevc-decode", packed: hevcDecode} // libheif, libde265
	AV1Decoder  = &Module{name: "av1-decode", packed: av1Decode}   // libavif, libaom
	AV1Encoder  = &Module{name: "av1-encode", packed: av1Encode}   // libavif, libaom
	WebPEncoder = &Module{name: "webp-encode", packed: webpEncode} // libwebp
)

// Module is a codec. It is translated when it is first needed, once in a process.
type Module struct {
	name   string
	packed []byte // by gzip

	mu      sync.Mutex
	program *program // nil until it is needed
}

// program is a module as machine code.
type program struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// close gives the memory of a program that does not run back.
func (p *program) close() {
	_ = p.code.Close(context.Background())
	_ = p.runtime.Close(context.Background())
}

// Start returns a new sandbox that runs the module. The machine code comes from the cache that Env names, or goes
// there, if there is one that can be used.
func (m *Module) Start() (*Sandbox, error) {
	p, err := m.ensureTranslated()
	if err != nil {
		return nil, fmt.Errorf("the codec %s in WebAssembly: %w", m.name, err)
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(allocateMemory))
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	instance, err := p.runtime.InstantiateModule(ctx, p.code, config)
	if err != nil {
		return nil, fmt.Errorf("the codec %s in WebAssembly: %w", m.name, err)
	}
	return &Sandbox{ctx, instance}, nil
}

func (m *Module) ensureTranslated() (p *program, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.program != nil {
		return m.program, nil
	}
	if dir := os.Getenv(Env); dir != "" {
		p, err = Cache(dir).add(m)
	}
	if p == nil {
		p, err = m.translate(wazero.NewRuntimeConfig())
	}
	if err == nil {
		m.program = p
	}
	return p, err
}

// Load takes the module's machine code from the cache that Env names. It does not translate: where the cache has none
// for this program and processor, it returns an error. After a success, Start opens no file.
func (m *Module) Load() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.program != nil {
		return nil
	}
	p, err := Cache(os.Getenv(Env)).load(m)
	if err == nil {
		m.program = p
	}
	return err
}

// translate makes machine code of the module, or takes it from the cache that config has.
func (m *Module) translate(config wazero.RuntimeConfig) (*program, error) {
	z, err := gzip.NewReader(bytes.NewReader(m.packed))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	p := &program{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err == nil {
		p.code, err = p.runtime.CompileModule(ctx, code)
	}
	if err != nil {
		_ = p.runtime.Close(ctx)
		return nil, err
	}
	return p, nil
}
