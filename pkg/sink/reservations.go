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
)

// This file keeps runs that are live at the same time from replacing each other's outputs. What earlier runs made is
// for the ventilator to ask about before its run begins.

// maxReserved bounds the names of outputs that runs may reserve. A ventilator reserves what it is about to hand out,
// a few thousand names, whatever the number of its images.
const maxReserved = 1 << 20

// reservations are the outputs that live runs are about to make: from the ventilator's question until the task is
// settled, or its run has ended. The methods may be called concurrently.
type reservations struct {
	mu     sync.Mutex
	byName map[string]reservation
	byTask map[string][]string // names
}

// reservation says what a name is reserved for.
type reservation struct {
	run, id string
	image   string // its source and its name
}

func (r *reservation) task() string { return r.run + "\x00" + r.id }

// reserve reserves names for a task. If another live run has reserved one of them for another image, it reserves none
// and returns which, and for whom.
func (r *reservations) reserve(
	names []string, of reservation, isLive func(run string) bool,
) (clash string, holder reservation, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName, r.byTask = make(map[string]reservation), make(map[string][]string)
	}
	if len(r.byName)+len(names) > maxReserved {
		return "", reservation{}, errors.New("too many names of outputs are reserved")
	}
	for _, name := range names {
		if held, is := r.byName[name]; is && held.run != of.run && held.image != of.image && isLive(held.run) {
			return name, held, nil
		}
	}
	for _, name := range names {
		r.byName[name] = of
	}
	r.byTask[of.task()] = names
	return "", reservation{}, nil
}

// settle frees what a task has reserved.
func (r *reservations) settle(e *ledger.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byTask) > 0 {
		of := reservation{run: e.Run, id: e.ID.String()}
		r.free(of.task())
	}
}

// free frees what a task has reserved. The caller holds the mutex.
func (r *reservations) free(task string) {
	for _, name := range r.byTask[task] {
		if held := r.byName[name]; held.task() == task {
			delete(r.byName, name)
		}
	}
	delete(r.byTask, task)
}

// end frees what the tasks of a run have reserved.
func (r *reservations) end(run string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for task := range r.byTask {
		if strings.HasPrefix(task, run+"\x00") {
			r.free(task)
		}
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
func (s *settler) reserve(_ context.Context, args *wire.VariantsArgs) (any, error) {
	what, err := s.checkVariants(args)
	if err != nil {
		return nil, err
	}
	if args.Run == "" {
		return nil, errors.New("only a run can reserve outputs")
	}
	var reply wire.Clashes
	for i := range args.Images {
		im := &args.Images[i]
		of := reservation{run: args.Run, id: taskid.Input(im.Input).ID(args.Recipe).String(),
			image: imageOf(im.Source, im.Filename)}
		if of.image == "" {
			continue
		}
		names := what.OutputNames(im.Filename)
		clash, holder, err := s.reserved.reserve(names, of, s.isLive)
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
