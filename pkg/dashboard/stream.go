package dashboard

import (
	"fmt"
	"net/http"
	"time"

	"github.com/imagefarm/imagefarm/pkg/httpreply"
)

// A stream that has sent nothing for the time of pulse sends a comment, so that proxies keep the connection and the
// server notices a lost client. telemetry.Admin disconnects a client that reads nothing.
const (
	pulse = 15 * time.Second
	// lastViewWait is how long a stream waits for the last view when the server stops.
	lastViewWait = 500 * time.Millisecond
)

// stream is a connection that carries server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// listen turns the request into a stream, unless too many are open. The caller calls done when the stream ends.
func (d *Dashboard) listen(w http.ResponseWriter, r *http.Request) (s *stream, done func(), ok bool) {
	select {
	case d.clients <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "10")
		httpreply.Refuse(
			w,
			http.StatusServiceUnavailable,
			fmt.Sprintf("%d streams are open; the server allows no more", cap(d.clients)),
		)
		return nil, nil, false
	}
	done = func() { <-d.clients }
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies forward each event at once
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
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}

// live is the page's stream: each second, the parts that changed. A slow page skips to the newest view.
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
			d.log.Debug("disconnected a page: it reads nothing", "from", r.RemoteAddr, "error", err)
			return
		}
		select {
		case <-changed:
		case <-d.final:
			d.finish(show)
			return
		case <-r.Context().Done(): // the client disconnected, or the server stops
			timer := time.NewTimer(lastViewWait)
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

// finish sends the last view.
func (d *Dashboard) finish(show func(*view) error) {
	v, _ := d.current()
	if err := show(v); err != nil {
		d.log.Debug("a page missed the last view", "error", err)
	}
}
