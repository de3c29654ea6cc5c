package ventilator

import "sync"

// mailbox takes values from callbacks that must not block and hands them to the loop in order. It is bounded by what can
// be under way: connections and messages handed to them.
type mailbox[T any] struct {
	mu    *sync.Mutex
	items *[]T
	ready chan struct{}
}

func newMailbox[T any]() mailbox[T] {
	return mailbox[T]{mu: new(sync.Mutex), items: new([]T), ready: make(chan struct{}, 1)}
}

func (m mailbox[T]) put(v T) {
	m.mu.Lock()
	*m.items = append(*m.items, v)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns what has come since the last call.
func (m mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := *m.items
	*m.items = nil
	return items
}
