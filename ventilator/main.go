// Command ventilator is one of imagefarm's programs: ventilator --help says what it does.
package main

import (
	"os"

	"github.com/imagefarm/imagefarm/pkg/cli"
)

func main() { os.Exit(cli.Main(cli.VentilatorProgram(), os.Args)) }
