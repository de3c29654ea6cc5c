package zsock

// signal wakes everybody who waits for a change of what a mutex guards. It is used with that mutex held, except for
// receiving from the channel that wait returned. Waiting costs an allocation, not waiting costs nothing.
type signal struct{ ch chan struct{} }

// wait returns a channel that the next broadcast closes.
func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) broadcast() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
