package sink

import (
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// A run that watches directories may take a file before its last bytes have come, and have it rejected. When the file
// has changed, it is taken again, and the later entry takes the place of the refusal.

// replacements knows the refused images of runs that watch. The committer owns it.
type replacements struct {
	runs map[string]map[string]taskid.ID // run → source, NUL, name of the image → its refused task
}

// replaceRefusals notes in the entries of a batch which refusals they replace.
func (c *committer) replaceRefusals(entries []ledger.Entry) error {
	for i := range entries {
		e := &entries[i]
		refused, err := c.refusedOf(e.Run)
		if err != nil {
			return err
		}
		if refused == nil {
			continue
		}
		image := e.Source + "\x00" + e.Filename
		if id := refused[image]; id != e.ID {
			e.Replaces = id
			delete(refused, image)
		}
		if e.Outcome != outcome.Done {
			refused[image] = e.ID
		}
	}
	return nil
}

// refusedOf returns the refused images of a run, as in replacements; nil if the run does not watch.
func (c *committer) refusedOf(run string) (map[string]taskid.ID, error) {
	if known := c.replaced.runs[run]; known != nil || run == "" || !c.runs.isWatching(run) {
		return known, nil
	}
	refused := make(map[string]taskid.ID)
	for after := uint64(0); ; {
		page, next, err := c.cfg.Ledger.Refused(ledger.Filter{Run: run}, after, 1000)
		if err != nil {
			return nil, err
		}
		for i := range page {
			refused[page[i].Source+"\x00"+page[i].Filename] = page[i].ID
		}
		if after = next; next == 0 {
			break
		}
	}
	for other := range c.replaced.runs {
		if !c.runs.isLive(other) {
			delete(c.replaced.runs, other)
		}
	}
	if c.replaced.runs == nil {
		c.replaced.runs = make(map[string]map[string]taskid.ID)
	}
	c.replaced.runs[run] = refused
	return refused, nil
}

// isWatching reports whether a run in memory waits for images that come.
func (l *liveRuns) isWatching(run string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run]
	return r != nil && r.State == outcome.Watching
}

// isLive reports whether a run in memory has not ended.
func (l *liveRuns) isLive(run string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run]
	return r != nil && r.Ended.IsZero()
}
