// Command farm is all of imagefarm's programs: everything in one process, the operator's tool, and, when it is
// called by the name of one of them, the ventilator, the worker or the sink.
package main

import (
	"os"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

func main() {
	if cli.Child() {
		return
	}
	os.Exit(cli.Main(cli.Program(os.Args[0]), os.Args))
}
