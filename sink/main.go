// Command sink is one of imagefarm's programs: sink --help says what it does.
package main

import (
	"os"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

func main() { os.Exit(cli.Main(cli.SinkProgram(), os.Args)) }
