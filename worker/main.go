// Command worker is one of imagefarm's programs: worker --help says what it does.
package main

import (
	"os"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

func main() {
	if cli.Child() {
		return
	}
	os.Exit(cli.Main(cli.WorkerProgram(), os.Args))
}
