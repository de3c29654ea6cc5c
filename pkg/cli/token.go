package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/access"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// tokenFlags name the tokens that a program admits.
func tokenFlags() []cli.Flag {
	return []cli.Flag{
		text(whereToGo, "tokens", "", "`FILE` of lines made by farm token issue: HTTP and PLAIN ask for a token"),
		texts(whereToGo, "token", "such a `LINE` itself; repeatable"),
	}
}

// asksForTokens reports whether tokenFlags name any tokens.
func asksForTokens(c *cli.Command) bool {
	return c.String("tokens") != "" || len(c.StringSlice("token")) > 0
}

// tokensOf returns the tokens of tokenFlags; nil: none are asked for.
func tokensOf(c *cli.Command, log *slog.Logger) (*access.List, error) {
	if !asksForTokens(c) {
		if c.Bool("protect-metrics") {
			return nil, usagef("--protect-metrics needs --tokens or --token")
		}
		return nil, nil
	}
	for _, line := range c.StringSlice("token") {
		if strings.Contains(line, access.Begin) {
			return nil, usagef("--token takes the line to store, which has a hash, and not the token itself")
		}
	}
	list, err := access.Open(access.Config{File: c.String("tokens"), Lines: c.StringSlice("token"), Logger: log})
	if err != nil {
		return nil, usagef("--tokens: %v", err)
	}
	return list, nil
}

// gateOf returns what is around a program's page and its metrics; nil for what is open.
func gateOf(c *cli.Command, n network, log *slog.Logger) (page, metrics func(http.Handler) http.Handler) {
	if n.tokens == nil {
		return nil, nil
	}
	gate := access.NewGate(n.tokens, telemetry.Limited(log))
	if c.Bool("protect-metrics") {
		metrics = gate.Programs
	}
	return gate.Page, metrics
}

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "make tokens for users of HTTP and of farm tunnel",
		Description: `   farm token issue --file tokens viewer anna    prints the token, once
   sink --tokens tokens

The file holds only a hash of each token. Remove a line to take a token back.`,
		Commands: []*cli.Command{tokenIssueCommand()},
		Action:   showGroup,
	}
}

func tokenIssueCommand() *cli.Command {
	return &cli.Command{
		Name: "issue", ArgsUsage: "ROLE NAME",
		Usage:       "print a new token and, below it, the line to store",
		Description: "Roles: " + strings.Join(access.Roles(), ", ") + ".",
		Flags: []cli.Flag{
			text(whereToGo, "file", "", "`FILE` to which the line is added, instead of printing it"),
			number(limits, "days", 30, from(1).to(3650), "days until the token expires"),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			role, name, err := roleAndName(c, access.Roles(), "holder")
			if err != nil {
				return err
			}
			secret, token, err := access.Issue(role, name, time.Now().AddDate(0, 0, c.Int("days")))
			if err != nil {
				return usagef("%v", err)
			}
			if path := c.String("file"); path != "" {
				if err := appendLine(path, token.String()); err != nil {
					return err
				}
				fmt.Fprintln(stdout(), secret)
				return nil
			}
			fmt.Fprintf(stdout(), "%s\n%s\n", secret, token)
			return nil
		},
	}
}

// roleAndName returns the arguments ROLE NAME, where who says what the name is of.
func roleAndName(c *cli.Command, roles []string, who string) (role, name string, err error) {
	all := strings.Join(roles, ", ")
	if c.Args().Len() != 2 {
		return "", "", usagef("name a role (%s) and a %s", all, who)
	}
	if role = c.Args().First(); !slices.Contains(roles, role) {
		return "", "", usagef("role %.40q is none of %s", role, all)
	}
	return role, c.Args().Get(1), nil
}

// appendLine adds a line to a file, which it makes if need be.
func appendLine(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.WriteString(line + "\n"); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
