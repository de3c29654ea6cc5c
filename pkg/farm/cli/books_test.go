package cli

import (
	"context"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/urfave/cli/v3"
)

func TestReasonsAndDeadLettersAreSelectedTogether(t *testing.T) {
	for _, c := range []struct {
		only                     []string
		truncated, corrupt, dead bool
	}{
		{nil, true, true, true},
		{[]string{"dead"}, false, false, true},
		{[]string{"truncated"}, true, false, false},
		{[]string{"dead", "truncated"}, true, false, true},
		{[]string{"truncated", "corrupt"}, true, true, false},
	} {
		args := []string{"x"}
		for _, word := range c.only {
			args = append(args, "--only", word)
		}
		program := &cli.Command{Flags: selectionFlags(), Action: func(_ context.Context, cmd *cli.Command) error {
			got, err := selection(cmd)
			if err != nil {
				return err
			}
			f := ledger.Filter{Run: got.Run, Outcomes: got.Outcomes, Reasons: got.Reasons}
			for _, e := range []struct {
				ledger.Entry
				want bool
			}{
				{ledger.Entry{Outcome: outcome.Rejected, Reason: outcome.Truncated}, c.truncated},
				{ledger.Entry{Outcome: outcome.Rejected, Reason: outcome.Corrupt}, c.corrupt},
				{ledger.Entry{Outcome: outcome.Dead}, c.dead},
				{ledger.Entry{Outcome: outcome.Done}, false},
			} {
				if f.Selects(&e.Entry) != e.want {
					t.Errorf("--only %q: selects %s %s is not %v", c.only, e.Outcome, e.Reason, e.want)
				}
			}
			return nil
		}}
		if err := program.Run(t.Context(), args); err != nil {
			t.Error(err)
		}
	}
}
