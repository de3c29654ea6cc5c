package isolate

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Descriptors of a child's shared memory, after the pipes.
const (
	fdInput  = 5
	fdOutput = 6
)

// region is memory that parent and children share. Its size is sealed: a child that could shrink it could crash the
// parent.
type region struct {
	rw  *os.File // for the parent
	ro  *os.File // for children that only read
	mem []byte
}

// newRegion makes a region of size bytes. A page takes up memory when it is first written.
func newRegion(name string, size int64) (*region, error) {
	if size > math.MaxInt {
		return nil, fmt.Errorf("shared memory %s of %d bytes: beyond this system's addresses", name, size)
	}
	fd, err := unix.MemfdCreate("imagefarm-"+name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("shared memory %s: %w", name, err)
	}
	r := &region{rw: os.NewFile(uintptr(fd), name)}
	if err := unix.Ftruncate(fd, size); err != nil {
		r.close()
		return nil, fmt.Errorf("shared memory %s of %d bytes: %w", name, size, err)
	}
	seals := unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		r.close()
		return nil, fmt.Errorf("shared memory %s: seal: %w", name, err)
	}
	if r.ro, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDONLY, 0); err != nil {
		r.close()
		return nil, fmt.Errorf("shared memory %s: open again to read: %w", name, err)
	}
	if r.mem, err = unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		r.close()
		return nil, fmt.Errorf("shared memory %s of %d bytes: %w", name, size, err)
	}
	return r, nil
}

// trim returns the pages of [from, to) to the system; they read as zeros afterwards.
func (r *region) trim(from, to int64) {
	page := int64(os.Getpagesize())
	from = (from + page - 1) / page * page
	if from < to {
		// A system that refuses keeps the pages, which costs only memory.
		_ = unix.Fallocate(int(r.rw.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	}
}

func (r *region) close() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
	for _, f := range []*os.File{r.rw, r.ro} {
		if f != nil {
			f.Close()
		}
	}
}

// sharedFiles returns the files that a child inherits to map the input and its region.
func sharedFiles(in, out *region) []*os.File {
	return []*os.File{in.ro, out.rw}
}

// mapShared maps, in a child, the files that it inherited.
func mapShared(in, out uint64) (input, output []byte, err error) {
	unix.CloseOnExec(fdInput)
	unix.CloseOnExec(fdOutput)
	if input, err = unix.Mmap(fdInput, 0, int(in), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, nil, fmt.Errorf("input: %w", err)
	}
	if output, err = unix.Mmap(fdOutput, 0, int(out), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, nil, fmt.Errorf("output: %w", err)
	}
	return input, output, nil
}
