package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"
)

// programs are the command lines of all four programs.
func programs() []*cli.Command {
	return []*cli.Command{FarmProgram(), VentilatorProgram(), WorkerProgram(), SinkProgram()}
}

func manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", ArgsUsage: "DIR",
		Usage: "write the manual pages of all programs and commands into DIR",
		Action: func(_ context.Context, c *cli.Command) error {
			dir := c.Args().First()
			if dir == "" {
				return usagef("name a directory, such as /usr/local/share/man/man1")
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
			var failed error
			for _, p := range programs() {
				eachCommandPath(p, "", func(c *cli.Command, path string) {
					if c.Hidden || failed != nil {
						return
					}
					file := strings.ReplaceAll(path, " ", "-") + ".1"
					failed = os.WriteFile(filepath.Join(dir, file), []byte(manPage(c, path)), 0o666)
				})
			}
			return failed
		},
	}
}

// exitMark begins the part of a description that lists exit codes.
const exitMark = "EXIT STATUS:\n"

// manPage returns the manual page of a command, in the macros of man(7).
func manPage(c *cli.Command, path string) string {
	var b strings.Builder
	name := strings.ReplaceAll(path, " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" imagefarm\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), roff(name), roff(c.Usage))
	fmt.Fprintf(
		&b,
		".SH SYNOPSIS\n.B %s\n%s\n",
		roff(path),
		roff(strings.TrimSpace(strings.TrimPrefix(synopsis(c, path), path))),
	)
	description, exits, hasExits := strings.Cut(c.Description, exitMark)
	if strings.TrimSpace(description) != "" {
		b.WriteString(".SH DESCRIPTION\n" + roffBlocks(description))
	}
	if len(c.Commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		rows := commandRows(c)
		if !strings.Contains(path, " ") {
			rows = append(rows, [2]string{"completion", completionUsage}) // which the library adds to a program that runs
		}
		for _, row := range rows {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(row[0]), roff(row[1]))
		}
	}
	var variables []string
	for _, group := range groups() {
		flags := shownFlags(c, group)
		if len(flags) == 0 {
			continue
		}
		if variables == nil {
			b.WriteString(".SH OPTIONS\n")
		}
		fmt.Fprintf(&b, ".SS %s\n", roff(group))
		for _, f := range flags {
			row := flagRow(f)
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(row[0]), roff(row[1]))
			variables = append(variables, envName(f.Names()[0]))
		}
	}
	if len(variables) > 0 {
		fmt.Fprintf(&b, ".SH ENVIRONMENT\n%s\n.PP\n%s\n", roff(environmentHelp), roff(strings.Join(variables, ", ")))
	}
	if !hasExits {
		exits = plainExitHelp
	}
	b.WriteString(".SH EXIT STATUS\n" + roffExits(exits))
	if program, _, isCommand := strings.Cut(path, " "); isCommand {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", program)
	}
	return b.String()
}

// roffBlocks renders paragraphs; indented lines are examples and stay as they are.
func roffBlocks(text string) string {
	var b strings.Builder
	example := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "   ")
		if indented != example && line != "" {
			example = indented
			if example {
				b.WriteString(".PP\n.nf\n.RS\n")
			} else {
				b.WriteString(".RE\n.fi\n")
			}
		}
		switch {
		case line == "":
			b.WriteString(".PP\n")
		default:
			b.WriteString(roff(strings.TrimPrefix(line, "   ")) + "\n")
		}
	}
	if example {
		b.WriteString(".RE\n.fi\n")
	}
	return b.String()
}

// roffExits renders lines of codes and meanings, two blanks between them.
func roffExits(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if code, meaning, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(code), roff(strings.TrimSpace(meaning)))
		}
	}
	return b.String()
}

// roff escapes text: a backslash and a hyphen mean something, as do a full stop and an apostrophe at the start of a
// line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
