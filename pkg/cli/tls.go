package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/pki"
)

func tlsCommand() *cli.Command {
	return &cli.Command{
		Name:  "tls",
		Usage: "make the certificates of a farm whose parts are on several machines",
		Description: `   farm tls init tls                             an authority in ./tls; keep it
   farm tls issue --host farm.example sink main  writes tls/sink-main.pem
   farm tls issue ventilator v1
   farm tls issue worker w1                      writes what worker w1 needs
   sink --bind 0.0.0.0 --tls tls/sink-main.pem

A member needs its own file only, and reads it again when it changes.`,
		Commands: []*cli.Command{tlsInitCommand(), tlsIssueCommand()},
		Action:   showGroup,
	}
}

func tlsInitCommand() *cli.Command {
	return &cli.Command{
		Name: "init", ArgsUsage: "DIR",
		Usage: "make a farm's certificate authority in DIR",
		Flags: []cli.Flag{
			text(showing, "farm", "imagefarm", "`NAME` of the farm: members of another farm are strangers"),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return usagef("name the directory of the authority")
			}
			dir := c.Args().First()
			if err := pki.Init(dir, c.String("farm"), time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(stdout(), "made an authority in %s; whoever has its ca.key can make members\n", dir)
			return nil
		},
	}
}

func tlsIssueCommand() *cli.Command {
	return &cli.Command{
		Name: "issue", ArgsUsage: "ROLE NAME",
		Usage:       "issue the certificate of a member, which has a role and a name",
		Description: "Roles: " + strings.Join(pki.Roles(), ", ") + ".",
		Flags: []cli.Flag{
			text(whereToGo, "dir", "tls", "`DIR` of the authority, where the member's file is written, too"),
			texts(whereToGo, "host", "`NAME` or address by which browsers reach the member; repeatable"),
			number(limits, "days", 365, from(1).to(3650), "days until the certificate expires"),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			role, name, err := roleAndName(c, pki.Roles(), "member")
			if err != nil {
				return err
			}
			path, err := pki.Issue(c.String("dir"), pki.Request{
				Role: role, Name: name, Hosts: c.StringSlice("host"),
				Valid: time.Duration(c.Int("days")) * 24 * time.Hour,
			}, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintln(stdout(), path)
			return nil
		},
	}
}
