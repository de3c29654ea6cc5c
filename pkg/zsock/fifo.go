package zsock

// fifo is a queue on a ring that grows as needed and lets go of a large ring once it is empty.
type fifo[T any] struct {
	ring []T
	head int
	n    int
}

const fifoKeep = 1024 // entries of ring that are kept when the queue is empty

func (f *fifo[T]) len() int { return f.n }

func (f *fifo[T]) push(v T) {
	if f.n == len(f.ring) {
		ring := make([]T, max(8, 2*len(f.ring)))
		k := copy(ring, f.ring[f.head:])
		copy(ring[k:], f.ring[:f.head])
		f.ring, f.head = ring, 0
	}
	f.ring[(f.head+f.n)%len(f.ring)] = v
	f.n++
}

// front returns the oldest entry in place; the queue must not be empty.
func (f *fifo[T]) front() *T { return &f.ring[f.head] }

// pop removes the oldest entry; the queue must not be empty.
func (f *fifo[T]) pop() T {
	var zero T
	v := f.ring[f.head]
	f.ring[f.head] = zero
	f.head = (f.head + 1) % len(f.ring)
	f.n--
	if f.n == 0 && len(f.ring) > fifoKeep {
		f.ring, f.head = nil, 0
	}
	return v
}
