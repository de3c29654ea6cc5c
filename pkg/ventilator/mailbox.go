package ventilator

import "sync"

// mailbox passes values, in order, from callbacks that must not block to the loop. It needs no bound of its own:
// there is at most one value for each connection and for each message that was handed to a connection.
type mailbox[T any] struct {
	mu    *sync.Mutex
	items *[]T
	ready chan struct{} // receives when there is a value
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

// take returns the values that were put since the last call.
func (m mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := *m.items
	*m.items = nil
	return items
}
