package dashboard

import (
	"fmt"
	"net/http"
	"time"
)

// A stream's rhythm: a comment after every pulse without anything to say, so that proxies keep the connection and a
// client that has gone is noticed; a client that takes nothing for writeWithin is let go.
const (
	pulse       = 15 * time.Second
	writeWithin = 10 * time.Second
	// lastWords is how long a stream waits for the last view when the server ends.
	lastWords = 500 * time.Millisecond
)

// stream is a client of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// listen makes a stream of the request, if there is room for one more; the caller calls done at its end.
func (d *Dashboard) listen(w http.ResponseWriter, r *http.Request) (s *stream, done func(), ok bool) {
	select {
	case d.clients <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d listen already; more are not served", cap(d.clients)))
		return nil, nil, false
	}
	done = func() { <-d.clients }
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies hand each event on at once
	s = &stream{w, http.NewResponseController(w)}
	if r.Method == http.MethodHead {
		done()
		return nil, nil, false
	}
	if err := s.send("retry: 2000\n\n"); err != nil {
		done()
		return nil, nil, false
	}
	return s, done, true
}

func (s *stream) send(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // not every ResponseWriter has deadlines
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}

// live is the page's own stream: what changed, each second. A page that is slow gets the latest, and misses what was
// between.
func (d *Dashboard) live(w http.ResponseWriter, r *http.Request) {
	s, done, ok := d.listen(w, r)
	if !ok {
		return
	}
	defer done()
	var sent [len(view{}.parts)]uint64
	show := func(v *view) error {
		text := ""
		for i, p := range v.parts {
			if p.version == sent[i] {
				continue
			}
			b, err := p.encode()
			if err != nil {
				return err
			}
			text += "event: " + p.event + "\ndata: " + string(b) + "\n\n"
			sent[i] = p.version
		}
		return s.send(text)
	}
	for {
		v, changed := d.current()
		if err := show(v); err != nil {
			d.log.Debug("a page was let go", "from", r.RemoteAddr, "error", err)
			return
		}
		select {
		case <-changed:
		case <-d.final:
			d.finish(show)
			return
		case <-r.Context().Done(): // it left, or the server ends
			timer := time.NewTimer(lastWords)
			defer timer.Stop()
			select {
			case <-d.final:
				d.finish(show)
			case <-timer.C:
			}
			return
		}
	}
}

// finish shows the last view.
func (d *Dashboard) finish(show func(*view) error) {
	v, _ := d.current()
	if err := show(v); err != nil {
		d.log.Debug("a page missed the end", "error", err)
	}
}
