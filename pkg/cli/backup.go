package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
)

func backupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", ArgsUsage: "FILE",
		Usage: "copy a ledger to a new file, also while a sink works with it",
		Description: `The copy is the ledger as its last commit left it. A sink that has the ledger
open makes the copy itself, and works on meanwhile. It does so only for its own
user, on its own machine.

   farm backup --out ~/thumbnails ~/backup/ledger-$(date +%F).db`,
		Flags:  ledgerFlags(),
		Action: runBackup,
	}
}

func runBackup(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usagef("name one FILE to copy the ledger to")
	}
	to, err := filepath.Abs(c.Args().First())
	if err != nil {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return usagef("%s exists already: name another file", to)
	}
	var size int64
	err = withLedger(ctx, c, true, func(ctx context.Context, b ledgerAccess) (err error) {
		size, err = b.Backup(ctx, to)
		return err
	})
	if err != nil {
		return err
	}
	return checkBackup(to, size)
}

// checkBackup opens the copy, and says what it holds.
func checkBackup(path string, size int64) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(stdout(), "%s: %s bytes, in the file system of the sink\n", path, numfmt.Count(size))
		return nil
	}
	copied, err := ledger.Open(path, ledger.Config{ReadOnly: true})
	if err != nil {
		return err
	}
	totals, err := copied.Totals()
	if err = errors.Join(err, copied.Close()); err != nil {
		return err
	}
	fmt.Fprintf(stdout(), "%s: %s bytes, %s images\n", path, numfmt.Count(size), numfmt.Count(totals.Settled()))
	return nil
}
