package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
)

// Sandbox is a running module with a memory of its own. One goroutine uses it at a time, and closes it.
type Sandbox struct {
	ctx    context.Context
	module api.Module
}

// Close gives the module's memory back.
func (s *Sandbox) Close() { _ = s.module.Close(s.ctx) }

// Call calls an exported function, and returns what it returns.
func (s *Sandbox) Call(name string, args ...uint64) (uint32, error) {
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

// errFull says that the module's memory ended.
var errFull = errors.New("the codec has no memory left")

// Allocate returns where n bytes of the module's memory are.
func (s *Sandbox) Allocate(n int) (uint64, error) {
	at, err := s.Call("malloc", uint64(n))
	if err == nil && at == 0 {
		err = errFull
	}
	return uint64(at), err
}

// Free gives allocated memory back to the module.
func (s *Sandbox) Free(at uint64) { _, _ = s.Call("free", at) }

// Write copies data into the module's memory and returns where.
func (s *Sandbox) Write(data []byte) (uint64, error) {
	at, err := s.Allocate(len(data))
	if err == nil && !s.module.Memory().Write(uint32(at), data) {
		err = errFull
	}
	return at, err
}

// View returns n bytes of the module's memory, which stay what they are until the module is called again.
func (s *Sandbox) View(at uint64, n int) ([]byte, error) {
	b, ok := s.module.Memory().Read(uint32(at), uint32(n))
	if !ok {
		return nil, errFull
	}
	return b, nil
}

// Words reads n little-endian numbers of 32 bits.
func (s *Sandbox) Words(at uint64, n int) ([]int, error) {
	list := make([]int, n)
	for i := range list {
		v, ok := s.module.Memory().ReadUint32Le(uint32(at) + uint32(4*i))
		if !ok {
			return nil, errFull
		}
		list[i] = int(v)
	}
	return list, nil
}
