//go:build (linux || darwin) && (amd64 || arm64) && !nodynamic

package native

import (
	"unsafe"

	"github.com/ebitengine/purego"
)

func open(file string) (uintptr, error) {
	return purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func symbol(library uintptr, name string) (uintptr, error) { return purego.Dlsym(library, name) }

// call calls a function whose arguments are whole numbers and addresses. Results of two words come in two words.
//
//go:uintptrescapes
func (f functions) call(name string, args ...uintptr) (uintptr, uintptr) {
	first, second, _ := purego.SyscallN(f[name], args...)
	return first, second
}

// bind sets *function, a Go function, to a function of the library that takes or returns other things than call can.
func (f functions) bind(function any, name string) { purego.RegisterFunc(function, f[name]) }

// callback returns an address at which C calls a Go function. It is never given back.
func callback(function any) uintptr { return purego.NewCallback(function) }

// address turns a number that C gave into a pointer.
func address(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// bytesAt returns n bytes of C's memory, which stay what they are as long as C says.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice((*byte)(address(p)), n) }

// textAt returns a copy of a text of C.
func textAt(p uintptr) string {
	if p == 0 {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(address(p), n)) != 0 {
		n++
	}
	return string(bytesAt(p, n))
}
