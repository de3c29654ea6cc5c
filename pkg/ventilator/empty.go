package ventilator

import (
	"context"
	"fmt"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/source"
)

// refuseEmpty returns a *UsageError that names the inputs and what the run would leave out. It is for a run that
// found no image. When a list of URLs has a mistake, the error says which. It returns nil if such a run is allowed, if
// something else was unreadable, which the run reports by itself, or if the inputs are a list on standard input, which
// names nothing when there is nothing to do.
func (v *Ventilator) refuseEmpty(ctx context.Context) error {
	if v.cfg.AllowEmpty {
		return nil
	}
	var names []string
	for _, in := range v.cfg.Inputs {
		if in != "-" {
			names = append(names, fmt.Sprintf("%q", in))
		}
	}
	if len(names) == 0 {
		return nil
	}
	var left leftOut
	if err := v.finder.walk(ctx, func(image) error { return nil }, left.add); err != nil {
		return err
	}
	for _, o := range left.all.Unreadable {
		if o.List != "" {
			return usage("no image in the list %q: %s%v", o.List, lineOf(o), o.Err)
		}
	}
	if left.all.Counts[source.Unreadable] > 0 {
		return nil
	}
	what := "no images in " + strings.Join(names, ", ")
	if out := left.all.Counts.String(); out != "" {
		what += " (left out: " + out + ")"
	}
	return usage("%s: name another directory, or give --allow-empty", what)
}

// lineOf says which line of its list is at fault; empty: the error does.
func lineOf(o source.Omission) string {
	number, is := strings.CutPrefix(o.Location, o.List+":")
	if !is {
		return ""
	}
	return "line " + number + ": "
}
