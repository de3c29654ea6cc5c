package zsock

import "github.com/go-zeromq/zmq4"

// A batch is written in one system call. Its size bounds what is in flight when a peer is lost.
const (
	batchMessages = 256
	batchBytes    = 128 << 10
)

// writer is the state of the goroutine that writes to a peer.
type writer struct {
	*peer
	batch []outgoing
	ends  []int64 // where in the flushed bytes each message of batch ends
	pings int
	pongs [][]byte
}

// write writes until the peer is cut, or until the queue is empty and the peer is finishing.
func (p *peer) write() {
	w := &writer{peer: p}
	for {
		switch w.take() {
		case takeSome:
			if !w.flush() {
				return
			}
		case takeEnd:
			if err := p.link.closeWrite(); err != nil {
				p.cut(err)
			}
			return
		case takeNone:
			select {
			case <-p.wake:
			case <-p.ctx.Done():
				return
			}
		}
	}
}

type taken int

const (
	takeNone taken = iota
	takeSome
	takeEnd
)

// take moves the next messages and commands from the queue into the batch.
func (w *writer) take() taken {
	w.socket.mu.Lock()
	defer w.socket.mu.Unlock()
	var size int64
	for w.queue.len() > 0 && len(w.batch) < batchMessages && size < batchBytes {
		o := w.queue.pop()
		size += o.size
		w.batch = append(w.batch, o)
	}
	w.pings, w.peer.pings = w.peer.pings, 0
	w.pongs = append(w.pongs[:0], w.peer.pongs...)
	w.peer.pongs = w.peer.pongs[:0]
	switch {
	case len(w.batch) > 0 || w.pings > 0 || len(w.pongs) > 0:
		return takeSome
	case w.finishing:
		return takeEnd
	}
	return takeNone
}

// flush encodes and writes the batch, and reports whether the peer is still connected.
func (w *writer) flush() bool {
	n, err := w.encode()
	if err == nil {
		n, err = w.link.flush()
	}
	w.settle(n, err)
	if err != nil {
		w.cut(err)
	}
	return err == nil
}

func (w *writer) encode() (int64, error) {
	for _, context := range w.pongs {
		if err := w.zmtp.SendCmd(zmq4.CmdPong, context); err != nil {
			return 0, err
		}
	}
	if w.pings > 0 {
		if err := w.zmtp.SendCmd(zmq4.CmdPing, pingBody()); err != nil {
			return 0, err
		}
	}
	for i := range w.batch {
		o := &w.batch[i]
		if o.missed > 0 {
			o.msg = w.socket.cfg.Missed(o.missed)
		}
		w.link.writeMessage(o.msg)
		w.ends = append(w.ends, w.link.out.total)
	}
	return 0, nil
}

// settle accounts for the batch of which n bytes were written. Messages that were not written completely are lost to
// this peer.
func (w *writer) settle(n int64, err error) {
	s := w.socket
	done := len(w.batch)
	if err != nil {
		for done = 0; done < len(w.ends) && w.ends[done] <= n; done++ {
		}
	}
	sent := 0
	s.mu.Lock()
	for i, o := range w.batch {
		if i < done {
			if !o.internal && o.missed == 0 {
				sent++
			}
			w.msgs--
			w.bytes -= o.size
			s.queuedBytes -= o.size
			continue
		}
		start := int64(0)
		if i > 0 && i <= len(w.ends) {
			start = w.ends[i-1]
		}
		o.touched = n > start && i < len(w.ends)
		w.lost = append(w.lost, o)
	}
	if err == nil {
		s.pattern.written(w.peer)
	}
	s.sendable.broadcast()
	s.mu.Unlock()
	if w.sent.Add(uint64(sent)); sent > 0 {
		w.active.Store(int64(w.age()))
	}
	for i, o := range w.batch[:done] {
		if o.written != nil {
			o.written(nil)
		}
		w.batch[i] = outgoing{}
	}
	clear(w.batch)
	w.batch, w.ends = w.batch[:0], w.ends[:0]
}
