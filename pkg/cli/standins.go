package cli

import (
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/isolate"
)

// standIn is a codec in WebAssembly that this program uses where a C library is not installed.
type standIn struct {
	codec  isolate.Libraries
	module *wasm.Module
	inUse  func() bool // whether this process uses it
}

// standIns are the codecs whose machine code a cache is to have before a child starts. The one for HEVC of rare
// profiles is not among them: the child that needs it translates it.
var standIns = []standIn{
	{av1Decoder, wasm.AV1Decoder, heif.DecodesAV1InSandbox},
	{av1Encoder, wasm.AV1Encoder, heif.EncodesAV1InSandbox},
	{webpEncoder, wasm.WebPEncoder, webp.EncodesInSandbox},
}

// sandboxed are the codecs of all standIns.
var sandboxed = func() (all isolate.Libraries) {
	for _, s := range standIns {
		all |= s.codec
	}
	return all
}()

// standInModules returns the modules of all standIns.
func standInModules() []*wasm.Module {
	all := make([]*wasm.Module, len(standIns))
	for i, s := range standIns {
		all[i] = s.module
	}
	return all
}

// findStandIns returns the stand-ins, among those named, that this process uses.
func findStandIns(among isolate.Libraries) (found []standIn) {
	for _, s := range standIns {
		if among&s.codec != 0 && s.inUse() {
			found = append(found, s)
		}
	}
	return found
}
