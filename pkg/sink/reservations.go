package sink

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// This file keeps runs that are live at the same time from replacing each other's outputs. What earlier runs made is
// for the ventilator to ask about before its run begins.

// Reservations take at most maxReservedBytes of memory, and those of one address or certificate three quarters of it. A
// ventilator reserves what it is about to hand out, a few thousand names, whatever the number of its images.
const (
	maxReservedBytes      = 256 << 20
	maxReservedBytesOfOne = maxReservedBytes / 4 * 3
	reservationOverhead   = 128 // bytes for a name, besides its own
)

// sweepEvery is how often reservations of runs that are not live are looked for, when there is no room.
const sweepEvery = time.Second

// reservations are the outputs that live runs are about to make: from the ventilator's question until the task is
// settled, or its run has ended. The methods may be called concurrently.
type reservations struct {
	mu        sync.Mutex
	byName    map[string]reservation
	byRun     map[string]map[string]reserved // by id of the task
	bytes     int
	byAccount map[string]int // bytes
	swept     time.Time
}

// reservation says what a name is reserved for.
type reservation struct {
	run, id string
	image   string // its source and its name
}

// reserved is what a task has reserved.
type reserved struct {
	names   []string
	account string // whose caller reserved them; empty: one on this machine
	bytes   int
}

// reserve reserves names for a task, in place of those that it had reserved. If another live run has reserved one of
// them for another image, it reserves none and returns which, and for whom.
func (r *reservations) reserve(
	names []string, of reservation, account string, isLive func(run string) bool, now time.Time,
) (clash string, holder reservation, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName, r.byRun = make(map[string]reservation), make(map[string]map[string]reserved)
		r.byAccount = make(map[string]int)
	}
	for _, name := range names {
		if held, is := r.byName[name]; is && held.run != of.run && held.image != of.image && isLive(held.run) {
			return name, held, nil
		}
	}
	r.free(of.run, of.id)
	held := reserved{names, account, len(of.image)}
	for _, name := range names {
		held.bytes += len(name) + reservationOverhead
	}
	if !r.hasRoom(held) && now.Sub(r.swept) >= sweepEvery {
		r.swept = now
		for run := range r.byRun {
			if !isLive(run) {
				r.freeRun(run)
			}
		}
	}
	if !r.hasRoom(held) {
		return "", reservation{}, errors.New("too many names of outputs are reserved")
	}
	for _, name := range names {
		r.byName[name] = of
	}
	if r.byRun[of.run] == nil {
		r.byRun[of.run] = make(map[string]reserved)
	}
	r.byRun[of.run][of.id] = held
	r.bytes += held.bytes
	r.byAccount[account] += held.bytes
	return "", reservation{}, nil
}

// hasRoom reports whether this may be reserved, too. The caller holds the mutex.
func (r *reservations) hasRoom(more reserved) bool {
	return r.bytes+more.bytes <= maxReservedBytes &&
		(more.account == "" || r.byAccount[more.account]+more.bytes <= maxReservedBytesOfOne)
}

// settle frees what a task has reserved.
func (r *reservations) settle(e *ledger.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byRun[e.Run]) > 0 {
		r.free(e.Run, e.ID.String())
	}
}

// free frees what a task has reserved. The caller holds the mutex.
func (r *reservations) free(run, id string) {
	held, ok := r.byRun[run][id]
	if !ok {
		return
	}
	for _, name := range held.names {
		if by := r.byName[name]; by.run == run && by.id == id {
			delete(r.byName, name)
		}
	}
	if delete(r.byRun[run], id); len(r.byRun[run]) == 0 {
		delete(r.byRun, run)
	}
	r.bytes -= held.bytes
	if r.byAccount[held.account] -= held.bytes; r.byAccount[held.account] == 0 {
		delete(r.byAccount, held.account)
	}
}

// end frees what the tasks of a run have reserved.
func (r *reservations) end(run string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freeRun(run)
}

// freeRun frees what the tasks of a run have reserved. The caller holds the mutex.
func (r *reservations) freeRun(run string) {
	for id := range r.byRun[run] {
		r.free(run, id)
	}
}

// imageOf names an image of a source; empty: its source is unknown.
func imageOf(source, filename string) string {
	if source == "" {
		return ""
	}
	return strings.TrimSuffix(source, "/") + "/" + filename
}

// reserve answers which images of a run would make outputs that another live run makes, or has made, of other images.
// It reserves the outputs of the others.
func (s *settler) reserve(ctx context.Context, args *wire.VariantsArgs) (any, error) {
	what, err := s.checkVariants(args)
	if err != nil {
		return nil, err
	}
	if args.Run == "" {
		return nil, errors.New("only a run can reserve outputs")
	}
	var reply wire.Clashes
	account, now := zsock.AccountOf(ctx), time.Now()
	for i := range args.Images {
		im := &args.Images[i]
		of := reservation{run: args.Run, id: taskid.Input(im.Input).ID(args.Recipe).String(),
			image: imageOf(im.Source, im.Filename)}
		if of.image == "" {
			continue
		}
		names := what.OutputNames(im.Filename)
		clash, holder, err := s.reserved.reserve(names, of, account, s.isLive, now)
		if err == nil && clash == "" {
			clash, holder, err = s.madeByAnother(names, of)
		}
		if err != nil {
			return nil, err
		}
		if clash != "" {
			reply.Clashes = append(reply.Clashes, wire.Clash{Image: i, Output: clash, Run: holder.run, Of: holder.image})
		}
	}
	return &reply, nil
}

// madeByAnother returns an output that another live run has made of another image.
func (s *settler) madeByAnother(names []string, of reservation) (clash string, maker reservation, err error) {
	err = s.cfg.Ledger.Owners(names, func(name string, e ledger.Entry) {
		image := imageOf(e.Source, e.Filename)
		if clash != "" || e.Run == of.run || image == of.image || image == "" || e.Settled.Before(s.runs.since(e.Run)) {
			return
		}
		if s.isLive(e.Run) {
			clash, maker = name, reservation{run: e.Run, id: e.ID.String(), image: image}
		}
	})
	return clash, maker, err
}

// isLive reports whether the ventilator of a run calls the sink.
func (s *settler) isLive(run string) bool {
	_, live := s.runs.owner(run, time.Now())
	return live
}

// checkVariants checks the arguments of a call about variants, and whether its caller may speak for the run.
func (s *settler) checkVariants(args *wire.VariantsArgs) (recipe.Recipe, error) {
	if err := args.Check(); err != nil {
		return recipe.Recipe{}, err
	}
	what, err := recipe.ParseCanonical(args.Recipe)
	if err != nil || args.Run == "" {
		return what, err
	}
	ticketKey, err := ticketKeyOf(args.Key)
	if err != nil {
		return what, err
	}
	return what, s.authorizeSettlement(&wire.Receipt{Run: args.Run}, ticketKey)
}
