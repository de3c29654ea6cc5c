// Command farm is one of imagefarm's programs: farm --help says what it does.
package main

import (
	"os"

	"github.com/imagefarm/imagefarm/pkg/farm/cli"
)

func main() {
	if cli.Child() {
		return
	}
	os.Exit(cli.Main(cli.FarmProgram(), os.Args))
}
