package sink

import "time"

// rate counts events over the last ten seconds.
type rate struct {
	seconds [window]float64
	at      int64 // the unix second that seconds[at%window] counts
}

// window is the number of seconds that a rate covers, the current one included.
const window = 10

func (r *rate) advance(now time.Time) {
	sec := now.Unix()
	if sec < r.at || sec-r.at >= window { // the clock was set back, or nothing was counted for long
		clear(r.seconds[:])
		r.at = sec
		return
	}
	for r.at < sec {
		r.at++
		r.seconds[r.at%window] = 0
	}
}

func (r *rate) add(n float64, now time.Time) {
	r.advance(now)
	r.seconds[r.at%window] += n
}

// perSecond returns the mean over the whole seconds of the window, without the current one.
func (r *rate) perSecond(now time.Time) float64 {
	r.advance(now)
	sum := 0.0
	for i, n := range r.seconds {
		if int64(i) != r.at%window {
			sum += n
		}
	}
	return sum / (window - 1)
}

// lastSecond returns the count of the last whole second.
func (r *rate) lastSecond(now time.Time) float64 {
	r.advance(now)
	return r.seconds[(r.at+window-1)%window]
}
