package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/imagefarm/imagefarm/pkg/httpreply"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Sizes of a page of entries.
const (
	usualEntries = 100
	maxEntries   = wire.MaxBatch
)

func (d *Dashboard) showRun(w http.ResponseWriter, _ *http.Request) {
	v, _ := d.current()
	httpreply.JSON(w, http.StatusOK, v.run)
}

func (d *Dashboard) showWorkers(w http.ResponseWriter, _ *http.Request) {
	v, _ := d.current()
	httpreply.JSON(w, http.StatusOK, WorkersReply{Now: v.status.Now, Workers: v.workers()})
}

// EntriesReply answers GET /api/v1/results and /api/v1/rejects. Next is the value of after for the next page, and empty
// on the last one.
type EntriesReply struct {
	Entries []wire.Receipt `json:"entries"`
	Next    string         `json:"next,omitempty"`
}

func (d *Dashboard) showResults(w http.ResponseWriter, r *http.Request) {
	d.showEntries(w, r, nil)
}

func (d *Dashboard) showRejects(w http.ResponseWriter, r *http.Request) {
	d.showEntries(w, r, []outcome.Outcome{outcome.Rejected, outcome.Dead})
}

func (d *Dashboard) showEntries(w http.ResponseWriter, r *http.Request, only []outcome.Outcome) {
	args, err := entriesArgs(r.URL.Query(), only)
	if err != nil {
		httpreply.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	page, leave, err := d.readEntries(w, r, args)
	if err != nil {
		httpreply.Refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	defer leave()
	d.memory.allowAll(page.Entries)
	if page.Entries == nil {
		page.Entries = []wire.Receipt{}
	}
	httpreply.JSON(w, http.StatusOK, EntriesReply{page.Entries, page.Next})
}

// readEntries reads a page of the ledger and takes a place for its answer. The caller calls leave when it is sent. A
// client that takes its answer slowly keeps nobody from reading.
func (d *Dashboard) readEntries(
	w http.ResponseWriter, r *http.Request, args wire.EntriesArgs,
) (page *wire.Entries, leave func(), err error) {
	select {
	case d.reading <- struct{}{}:
		defer func() { <-d.reading }()
	case <-r.Context().Done():
		return nil, nil, r.Context().Err()
	}
	if page, err = d.cfg.Source.Entries(r.Context(), args); err != nil {
		return nil, nil, err
	}
	leave, ok := d.sending.takePlace(w, r)
	if !ok {
		return nil, nil, r.Context().Err()
	}
	return page, leave, nil
}

// entriesArgs reads run, outcome, reason, after and limit from a query. only lists the outcomes that may be selected.
func entriesArgs(q url.Values, only []outcome.Outcome) (wire.EntriesArgs, error) {
	args := wire.EntriesArgs{Run: q.Get("run"), After: q.Get("after"), Limit: usualEntries, Outcomes: only}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxEntries {
			return args, fmt.Errorf("limit is %q: it must be between 1 and %d", text, maxEntries)
		}
		args.Limit = n
	}
	var err error
	if args.Reasons, err = reasonsOf(q["reason"]); err != nil {
		return args, err
	}
	if words := q["outcome"]; len(words) > 0 {
		if args.Outcomes, err = outcomesOf(words, only); err != nil {
			return args, err
		}
	}
	return args, nil
}

func reasonsOf(words []string) (reasons []outcome.Reason, err error) {
	for _, word := range words {
		reason, err := outcome.ParseReason(word)
		if err != nil {
			return nil, err
		}
		reasons = append(reasons, reason)
	}
	return reasons, nil
}

func outcomesOf(words []string, only []outcome.Outcome) (outcomes []outcome.Outcome, err error) {
	for _, word := range words {
		o, err := outcome.Parse(word)
		if err != nil {
			return nil, err
		}
		if only != nil && o != outcome.Rejected && o != outcome.Dead {
			return nil, fmt.Errorf("outcome is %q: it must be rejected or dead", word)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
