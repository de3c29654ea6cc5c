package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
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

// A command asks the sink that has the ledger open, never another sink that runs on this machine.
func TestLedgerInUseIsAskedOfItsOwnSinkOnly(t *testing.T) {
	out := t.TempDir()
	path := filepath.Join(out, ".imagefarm", "ledger.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	mine, err := ledger.Open(path, ledger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	other := wire.Status{Ledger: filepath.Join(t.TempDir(), "ledger.db")}
	if other.Host, err = os.Hostname(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.Ledger, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if !hasOpen(&wire.Status{Host: other.Host, Ledger: path}, path) {
		t.Error("the sink that has it is not known")
	}
	if hasOpen(&other, path) {
		t.Error("a sink with another ledger is taken for it")
	}
	if hasOpen(&wire.Status{Host: other.Host + "x", Ledger: path}, path) {
		t.Error("a sink on another machine is taken for it")
	}
	program := &cli.Command{Flags: ledgerFlags(), Action: func(ctx context.Context, c *cli.Command) error {
		return withLedger(ctx, c, false, func(context.Context, ledgerAccess) error {
			t.Error("a ledger is used")
			return nil
		})
	}}
	err = program.Run(t.Context(), []string{"x", "--out", out, "--timeout", "200ms"})
	if !errors.Is(err, ledger.ErrInUse) || !strings.Contains(err.Error(), "--sink") {
		t.Errorf("the error is %v", err)
	}
}
