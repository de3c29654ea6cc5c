package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
)

// verifySummary is the last line of `farm verify --json`.
type verifySummary struct {
	Kind         string `json:"message_type"` // "summary"
	Images       uint64 `json:"images"`       // that are done
	Outputs      uint64 `json:"outputs"`      // checked
	Decoded      bool   `json:"decoded"`
	Missing      uint64 `json:"missing"`
	WrongSize    uint64 `json:"wrong_size"`
	WrongContent uint64 `json:"wrong_content"`
	Unreadable   uint64 `json:"unreadable"`
	Unlisted     uint64 `json:"unlisted"`   // further problems, only counted
	Superseded   uint64 `json:"superseded"` // outputs that another image or other content replaced
	Unseen       uint64 `json:"unseen"`     // outputs too large to be decoded
	Open         uint64 `json:"open"`       // outputs in shards that are open out of sight, not checked
	OpenAt       string `json:"open_at,omitempty"`
}

func (v *verification) summary() verifySummary {
	s := verifySummary{
		Kind:       "summary",
		Images:     uint64(len(v.counted.images)),
		Outputs:    v.outputs,
		Decoded:    v.engine != nil,
		Unlisted:   v.more,
		Unseen:     v.unseen,
		Superseded: v.counted.superseded,
		Open:       v.open,
		OpenAt:     v.openAt,
	}
	for _, p := range v.wrong {
		switch p.Problem {
		case "missing":
			s.Missing++
		case "wrong-size":
			s.WrongSize++
		case "wrong-content":
			s.WrongContent++
		default:
			s.Unreadable++
		}
	}
	return s
}

// eachProblem calls visit with every problem, once, in the ledger's order.
func (v *verification) eachProblem(visit func(*problem) error) error {
	told := make(map[string]bool)
	for _, name := range v.order {
		p := v.wrong[name]
		if p == nil || told[name] {
			continue
		}
		told[name] = true
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// print prints the problems and the counts; with quiet nothing when all is well.
func (v *verification) print(w io.Writer, asJSON, quiet bool) error {
	s := v.summary()
	if asJSON {
		out := json.NewEncoder(w)
		if err := v.eachProblem(func(p *problem) error { return out.Encode(p) }); err != nil {
			return err
		}
		return out.Encode(s)
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	err := v.eachProblem(func(p *problem) error {
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\n", p.Problem, printable.Line(p.Name), printable.Line(p.Detail))
		return err
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	superseded := ""
	if s.Superseded > 0 {
		superseded = fmt.Sprintf("; %d superseded by other images or content", s.Superseded)
	}
	how := "present, with the right content, and decode"
	if !s.Decoded {
		how = "present and of the right size"
	}
	if v.problems() == 0 && quiet && s.Unseen == 0 && s.Open == 0 {
		return nil
	}
	if v.problems() == 0 {
		all := "all"
		if s.Open > 0 {
			all = numfmt.Count(s.Outputs - s.Open)
		}
		fmt.Fprintf(w, "%s of %s: %s %s%s\n", numfmt.Counted(s.Outputs, "output"),
			numfmt.Counted(s.Images, "image"), all, how, superseded)
	} else {
		fmt.Fprintf(w, "%s of %s checked: %d missing, %d of a wrong size, %d of a wrong content, "+
			"%d unreadable%s\n",
			numfmt.Counted(s.Outputs, "output"), numfmt.Counted(s.Images, "image"), s.Missing, s.WrongSize, s.WrongContent,
			s.Unreadable, superseded)
	}
	if s.Unlisted > 0 {
		fmt.Fprintf(w, "and about %d more, which are not listed\n", s.Unlisted)
	}
	if s.Open > 0 {
		host, dir, _ := strings.Cut(s.OpenAt, ":")
		fmt.Fprintf(w, "%d not checked: they are in the open shard %s, on %s in %s\n", s.Open, printable.Line(v.openShard),
			printable.Line(host), printable.Line(dir))
	}
	if s.Unseen > 0 {
		fmt.Fprintf(
			w,
			"%d were not decoded: they are beyond --max-message, --max-pixels, --task-timeout or --task-memory\n",
			s.Unseen,
		)
	}
	return nil
}
