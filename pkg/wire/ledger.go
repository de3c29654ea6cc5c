package wire

import "context"

// LedgerReader reads a ledger: a running sink's, or that of a file when no sink is running. The report, the page, the
// command line and the sink's own answers read through it.
type LedgerReader interface {
	// Entries returns a page of the ledger. A page may be short, or empty, without being the last. An error says what is
	// wrong with the arguments, or with the ledger.
	Entries(context.Context, EntriesArgs) (*Entries, error)

	// Runs returns the runs that the ledger knows, newest first.
	Runs(context.Context) ([]Run, error)
}
