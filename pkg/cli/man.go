package cli

import (
	"context"
	"os"
	"path/filepath"

	docs "github.com/urfave/cli-docs/v3"
	"github.com/urfave/cli/v3"
)

// programs are the command lines of all four programs.
func programs() []*cli.Command {
	return []*cli.Command{FarmProgram(), VentilatorProgram(), WorkerProgram(), SinkProgram()}
}

func manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", ArgsUsage: "DIR",
		Usage: "write the manual pages of all four programs into DIR",
		Action: func(_ context.Context, c *cli.Command) error {
			dir := c.Args().First()
			if dir == "" {
				return usagef("name a directory, such as /usr/local/share/man/man1")
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
			for _, p := range programs() {
				page, err := docs.ToManWithSection(p, 1)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, p.Name+".1"), []byte(page), 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
