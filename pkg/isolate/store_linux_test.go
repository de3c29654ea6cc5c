package isolate

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func TestDataInABufferCrossesWithoutACopy(t *testing.T) {
	e := newEngine(t, Config{Slots: 1, Buffers: 2, MaxInput: 1 << 20})
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	s := e.store.Load()
	frame := e.Buffer(1000)
	defer e.Release(frame)
	copy(frame, "header;the image;trailer")
	image := frame[7:16]
	if at := s.place(0, image); at != s.cell*Turns+7 {
		t.Fatalf("the image lies at %d, want in the first cell that is lent, at %d", at, s.cell+7)
	}
	got, err := e.Transform(t.Context(), image, recipe.Default())
	if err != nil || string(got.Outputs[0].Data) != "the image" {
		t.Fatalf("%v, %v", got, err)
	}
	if own := s.in.mem[s.cell:][:5]; string(own) != "hello" { // the first task's
		t.Errorf("the slot's own cell was written: %q", own)
	}
}

func TestBuffersRunOutAndComeBack(t *testing.T) {
	e := idleEngine(t, Config{Slots: 1, Buffers: 2, MaxInput: 1 << 20})
	early := e.Buffer(10) // before Run
	if len(early) != 10 {
		t.Fatal(len(early))
	}
	stop := runEngine(t, e)
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	e.Release(early)
	s := e.store.Load()
	one, two := e.Buffer(10), e.Buffer(1<<20)
	if len(s.free) != 0 {
		t.Fatalf("%d cells free", len(s.free))
	}
	ordinary := e.Buffer(10)
	copy(ordinary, "0123456789")
	if _, err := e.Transform(t.Context(), ordinary, recipe.Default()); err != nil {
		t.Fatal(err)
	}
	e.Release(ordinary)
	e.Release(one[3:])
	e.Release(one[3:]) // it is not lent any more, and nobody else has it yet
	if len(s.free) != 1 || len(s.lent) != 1 {
		t.Fatalf("%d cells free, %d lent", len(s.free), len(s.lent))
	}
	large := e.Buffer(2 << 20)
	if len(large) != 2<<20 || len(s.free) != 1 {
		t.Error("more than MaxInput does not fit in a cell")
	}
	e.Release(large)
	held := e.Buffer(10)
	stop()
	held[0] = 1 // must not fault: it is still lent
	e.Release(held)
	e.Release(two)
	if s.in != nil {
		t.Error("the memory outlives its last borrower")
	}
	e.Release(early)
}

func TestLargeImagesGiveTheirMemoryBack(t *testing.T) {
	e := newEngine(t, Config{Slots: 1, MaxInput: 64 << 20})
	data := bytes.Repeat([]byte("x"), 40<<20)
	if _, err := e.Transform(t.Context(), data, recipe.Default()); err != nil {
		t.Fatal(err)
	}
	s := e.store.Load()
	for name, r := range map[string]*region{"input": s.in, "output": s.out[0]} {
		var st unix.Stat_t
		if err := unix.Fstat(int(r.rw.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		if used := st.Blocks * 512; used > keep+1<<20 {
			t.Errorf("%s takes up %d bytes, more than is kept", name, used)
		}
	}
}

func TestSharedMemoryCannotBeShrunkOrWrittenByReaders(t *testing.T) {
	r, err := newRegion("test", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for _, size := range []int64{0, 1 << 19, 1 << 21} {
		if err := unix.Ftruncate(int(r.rw.Fd()), size); err == nil {
			t.Errorf("its size could be made %d", size)
		}
	}
	fd := int(r.ro.Fd())
	if m, err := unix.Mmap(fd, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		_ = unix.Munmap(m)
		t.Error("a reader could map it to write")
	}
}
