package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // of the modules
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Codecs in WebAssembly run in a sandbox, everywhere. wasm/README.md says where they come from.

//go:embed wasm/heif.wasm.gz
var heifModule []byte

//go:embed wasm/avif-decode.wasm.gz
var avifDecodeModule []byte

//go:embed wasm/avif-encode.wasm.gz
var avifEncodeModule []byte

// Each module is compiled when it is first needed, which takes up to a second.
var (
	heifProgram       = sync.OnceValues(func() (*program, error) { return compile(heifModule) })
	avifDecodeProgram = sync.OnceValues(func() (*program, error) { return compile(avifDecodeModule) })
	avifEncodeProgram = sync.OnceValues(func() (*program, error) { return compile(avifEncodeModule) })
)

// program is a compiled module.
type program struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

func compile(module []byte) (*program, error) {
	z, err := gzip.NewReader(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	p := &program{runtime: wazero.NewRuntime(ctx)}
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		return nil, err
	}
	p.code, err = p.runtime.CompileModule(ctx, code)
	return p, err
}

// sandbox is a running module with a memory of its own.
type sandbox struct {
	ctx    context.Context
	module api.Module
}

func (p *program) start() (*sandbox, error) {
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(allocateMemory))
	m, err := p.runtime.InstantiateModule(ctx, p.code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	return &sandbox{ctx, m}, nil
}

func (s *sandbox) close() { _ = s.module.Close(s.ctx) } // its memory is given back

// call calls an exported function, and returns what it returns.
func (s *sandbox) call(name string, args ...uint64) (uint32, error) {
	f := s.module.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("the codec has no function %s", name)
	}
	res, err := f.Call(s.ctx, args...)
	if err != nil || len(res) == 0 {
		return 0, err
	}
	return uint32(res[0]), nil
}

// errSandboxFull says that the module's memory ended.
var errSandboxFull = errors.New("the codec has no memory left")

// allocate returns where n bytes of the module's memory are.
func (s *sandbox) allocate(n int) (uint64, error) {
	at, err := s.call("malloc", uint64(n))
	if err == nil && at == 0 {
		err = errSandboxFull
	}
	return uint64(at), err
}

func (s *sandbox) free(at uint64) { _, _ = s.call("free", at) }

// write copies data into the module's memory and returns where.
func (s *sandbox) write(data []byte) (uint64, error) {
	at, err := s.allocate(len(data))
	if err == nil && !s.module.Memory().Write(uint32(at), data) {
		err = errSandboxFull
	}
	return at, err
}

// view returns n bytes of the module's memory, which stay what they are until the module is called again.
func (s *sandbox) view(at uint64, n int) ([]byte, error) {
	b, ok := s.module.Memory().Read(uint32(at), uint32(n))
	if !ok {
		return nil, errSandboxFull
	}
	return b, nil
}

// words reads n little-endian numbers of 32 bits.
func (s *sandbox) words(at uint64, n int) ([]int, error) {
	list := make([]int, n)
	for i := range list {
		v, ok := s.module.Memory().ReadUint32Le(uint32(at) + uint32(4*i))
		if !ok {
			return nil, errSandboxFull
		}
		list[i] = int(v)
	}
	return list, nil
}

var (
	_ codec = (*wasmHEVC)(nil)
	_ codec = (*wasmAV1)(nil)
)

// newWASM starts a sandbox for pictures of a kind.
func newWASM(kind string) (codec, error) {
	load := heifProgram
	if kind == "av01" {
		load = avifDecodeProgram
	}
	p, err := load()
	if err != nil {
		return nil, fmt.Errorf("the codec for %s in WebAssembly: %w", kind, err)
	}
	s, err := p.start()
	if err != nil {
		return nil, fmt.Errorf("the codec for %s in WebAssembly: %w", kind, err)
	}
	if kind == "av01" {
		return &wasmAV1{s}, nil
	}
	return &wasmHEVC{s}, nil
}

// wasmHEVC decodes HEVC by libheif and libde265.
type wasmHEVC struct{ *sandbox }

// Numbers of libheif's colour spaces and chroma formats.
const (
	heifYCbCr = 0
	heifRGB   = 1
	heifGray  = 2
	heif420   = 1
	heif422   = 2
	heif444   = 3
)

func (d *wasmHEVC) converts() bool { return false }

// stride returns the bytes of a row of 8-bit samples as libheif lays it out.
func stride(width int) int { return (max(width, 64) + 15) &^ 15 }

func (d *wasmHEVC) decode(it *item, c color, w, h int, _ fidelity) (*picture.Picture, error) {
	file := it.single(c)
	in, err := d.write(file)
	if err != nil {
		return nil, err
	}
	defer d.free(in)
	told, err := d.allocate(5 * 4) // width, height, colour space, chroma, premultiplied
	if err != nil {
		return nil, err
	}
	defer d.free(told)
	run := func(describe uint64, out uint64) error {
		ok, err := d.call("decode", in, uint64(len(file)), describe, told, told+4, told+8, told+12, told+16, out)
		if err == nil && ok == 0 {
			err = errors.New("libheif cannot decode it")
		}
		return err
	}
	if err := run(1, 0); err != nil {
		return nil, err
	}
	says, err := d.words(told, 4)
	if err != nil {
		return nil, err
	}
	if says[0] != w || says[1] != h {
		return nil, fmt.Errorf("libheif says %d×%d pixels, the header %d×%d", says[0], says[1], w, h)
	}
	across, down := 1, 1
	if says[2] == heifYCbCr && says[3] != heif444 {
		across = 2
	}
	if says[2] == heifYCbCr && says[3] == heif420 {
		down = 2
	}
	luma := stride(w) * h
	chromaStride, chromaHeight := stride((w+across-1)/across), (h+down-1)/down
	size := luma
	switch says[2] {
	case heifYCbCr:
		size += 2 * chromaStride * chromaHeight
	case heifRGB:
		size = (max(4*w, 64) + 15) &^ 15 * h
	}
	out, err := d.allocate(size)
	if err != nil {
		return nil, err
	}
	defer d.free(out)
	if err := run(0, out); err != nil {
		return nil, err
	}
	pix, err := d.view(out, size)
	if err != nil {
		return nil, err
	}
	switch says[2] {
	case heifYCbCr:
		p := &picture.Picture{Model: picture.YCbCr}
		p.Planes = append(p.Planes, copyPlane(pix, stride(w), w, h, 1, 1))
		for i := range 2 {
			p.Planes = append(p.Planes, copyPlane(pix[luma+i*chromaStride*chromaHeight:], chromaStride, w, h, across, down))
		}
		return p, nil
	case heifGray:
		return &picture.Picture{Model: picture.Gray, Planes: []picture.Plane{copyPlane(pix, stride(w), w, h, 1, 1)}}, nil
	case heifRGB:
		return interleaved(pix, (max(4*w, 64)+15)&^15, w, h, 1), nil
	}
	return nil, fmt.Errorf("libheif yields colour space %d", says[2])
}

// copyPlane copies a plane of a picture of w×h pixels out of memory that will go away.
func copyPlane(pix []byte, stride, w, h, across, down int) picture.Plane {
	p := emptyPlane(w, h, across, down)
	for y := range p.Height {
		copy(p.Pix[y*p.Stride:][:p.Width], pix[y*stride:])
	}
	return p
}

// interleaved returns the planes of RGBA samples. step is their bytes, of which the last is the highest.
func interleaved(pix []byte, stride, w, h, step int) *picture.Picture {
	p := &picture.Picture{Model: picture.RGB}
	for c := range 3 {
		to := emptyPlane(w, h, 1, 1)
		for y := range h {
			row := pix[y*stride:][:4*step*w]
			for x := range to.Pix[y*w:][:w] {
				to.Pix[y*w+x] = row[(4*x+c)*step+step-1]
			}
		}
		p.Planes = append(p.Planes, to)
	}
	return p
}

// wasmAV1 decodes AV1 by libavif and libaom, to RGB.
type wasmAV1 struct{ *sandbox }

func (d *wasmAV1) converts() bool { return true }

func (d *wasmAV1) decode(it *item, c color, w, h int, _ fidelity) (*picture.Picture, error) {
	file := it.single(c)
	in, err := d.write(file)
	if err != nil {
		return nil, err
	}
	defer d.free(in)
	told, err := d.allocate(4*4 + 8) // width, height, depth, frames; a delay
	if err != nil {
		return nil, err
	}
	defer d.free(told)
	run := func(describe uint64, out uint64) error {
		ok, err := d.call("decode", in, uint64(len(file)), describe, 0, told, told+4, told+8, told+12, told+16, out)
		if err == nil && ok == 0 {
			err = errors.New("libavif cannot decode it")
		}
		return err
	}
	if err := run(1, 0); err != nil {
		return nil, err
	}
	says, err := d.words(told, 3)
	if err != nil {
		return nil, err
	}
	if says[0] != w || says[1] != h {
		return nil, fmt.Errorf("libavif says %d×%d pixels, the header %d×%d", says[0], says[1], w, h)
	}
	step := 1
	if says[2] > 8 {
		step = 2
	}
	out, err := d.allocate(4 * step * w * h)
	if err != nil {
		return nil, err
	}
	defer d.free(out)
	if err := run(0, out); err != nil {
		return nil, err
	}
	pix, err := d.view(out, 4*step*w*h)
	if err != nil {
		return nil, err
	}
	return interleaved(pix, 4*step*w, w, h, step), nil
}
