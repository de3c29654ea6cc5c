package cli

import (
	"io"
	"os"

	"github.com/imagefarm/imagefarm/pkg/printable"
)

// stdout and stderr are where commands print. They escape what could change a terminal, as most of it comes from peers
// and files. Fields of a line or a table go through printable.Line besides, so that they stay where they belong.

func stdout() io.Writer { return printable.NewWriter(os.Stdout) }

func stderr() io.Writer { return printable.NewWriter(os.Stderr) }
