package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/runasowner"
)

func asOwnerCommand() *cli.Command {
	return &cli.Command{
		Name: "as-owner", ArgsUsage: "DIR -- PROGRAM [ARGUMENT…]", Hidden: true,
		Usage: "become the owner of DIR, then run the program: for containers that write into a bind mount",
		Flags: []cli.Flag{text("", "like", "", "owner that an empty DIR of root gets first: that of this `FILE`")},
		Action: func(_ context.Context, c *cli.Command) error {
			args := c.Args().Slice()
			if len(args) > 1 && args[1] == "--" {
				args = append(args[:1:1], args[2:]...)
			}
			if len(args) < 2 {
				return usagef("as-owner needs a directory and a program")
			}
			return runasowner.Exec(runasowner.Config{Dir: args[0], Like: c.String("like")}, args[1:])
		},
	}
}
