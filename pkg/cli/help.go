package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// The groups under which help and manual pages list flags, in this order.
const (
	whatToMake = "What to make"
	whatToTake = "Which images"
	delivery   = "Delivery"
	limits     = "Limits"
	showing    = "Output and logs"
	whereToGo  = "Connections"
)

func groups() []string {
	return []string{whatToMake, whatToTake, delivery, limits, showing, whereToGo}
}

// The widths of help, in columns.
const (
	helpWidth   = 80
	widestLabel = 28
)

// helpAll is the flag that lists every flag of a command.
const helpAll = "--help-all"

const environmentHelp = "Every flag has an environment variable: IMAGEFARM_ and its name in upper case, " +
	"with _ for -, such as IMAGEFARM_MAX_MESSAGE. A flag beats its variable."

// hideSeldomUsed leaves all flags but the named ones out of the command's help; --help-all lists them, too.
func hideSeldomUsed(c *cli.Command, usual ...string) *cli.Command {
	seldom := make(map[string]bool)
	for _, f := range c.Flags {
		if name := f.Names()[0]; !slices.Contains(usual, name) {
			seldom[name] = true
		}
	}
	c.Metadata = map[string]any{"seldom": seldom}
	return c
}

// setHelp replaces the library's help of all commands, of those that it adds, too. With all, help lists the flags that
// hideSeldomUsed left out. Call it once in a process, before a program runs: what it sets belongs to the library.
func setHelp(all bool) {
	show := func(c *cli.Command) error {
		_, err := io.WriteString(c.Root().Writer, helpText(c, c.FullName(), all))
		return err
	}
	cli.ShowRootCommandHelp, cli.ShowSubcommandHelp = show, show
	cli.ShowCommandHelp = func(_ context.Context, parent *cli.Command, name string) error {
		if c := parent.Command(name); c != nil {
			return show(c)
		}
		return noCommand(parent, name)
	}
}

// showGroup is the action of a command that only groups others: it shows its help, or refuses an unknown command.
func showGroup(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return noCommand(c, name)
	}
	return cli.ShowSubcommandHelp(c)
}

// wantsAllHelp replaces --help-all by --help, which the library knows, and reports whether it was there.
func wantsAllHelp(args []string) ([]string, bool) {
	for i, arg := range args {
		switch arg {
		case "--":
			return args, false
		case helpAll:
			args = slices.Clone(args)
			args[i] = "--help"
			return args, true
		}
	}
	return args, false
}

// eachCommandPath calls visit with each command and the words by which it is called, such as "farm run".
func eachCommandPath(c *cli.Command, parent string, visit func(*cli.Command, string)) {
	path := strings.TrimSpace(parent + " " + c.Name)
	visit(c, path)
	for _, sub := range c.Commands {
		eachCommandPath(sub, path, visit)
	}
}

// helpText is what --help prints for a command.
func helpText(c *cli.Command, path string, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUSAGE:\n   %s\n", path, c.Usage, synopsis(c, path))
	description, exits, hasExits := strings.Cut(c.Description, exitMark)
	if description = strings.TrimRight(description, "\n"); description != "" {
		fmt.Fprintf(&b, "\n%s\n", description)
	}
	if commands := commandRows(c); len(commands) > 0 {
		b.WriteString("\nCOMMANDS:\n")
		writeColumns(&b, commands)
		fmt.Fprintf(&b, "\n'%s COMMAND --help' explains a command.\n", path)
	}
	shown, hidden := 0, 0
	for _, group := range groups() {
		var rows [][2]string
		for _, f := range c.Flags {
			switch category, seldom := categoryOf(f), isSeldom(c, f); {
			case category != group:
			case seldom && !all:
				hidden++
			default:
				rows = append(rows, flagRow(f))
			}
		}
		shown += len(rows)
		if len(rows) > 0 {
			fmt.Fprintf(&b, "\n%s:\n", strings.ToUpper(group))
			writeColumns(&b, rows)
		}
	}
	if shown > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(wrapped(environmentHelp, helpWidth), "\n"))
	}
	if hidden > 0 {
		fmt.Fprintf(&b, "'%s %s' lists %d more flags, which few runs need.\n", path, helpAll, hidden)
	}
	if hasExits {
		fmt.Fprintf(&b, "\n%s%s\n", exitMark, exits)
	}
	return b.String()
}

func synopsis(c *cli.Command, path string) string {
	words := []string{path}
	commands := len(commandRows(c)) > 0
	if commands {
		words = append(words, "COMMAND")
	}
	if len(c.Flags) > 0 || commands {
		words = append(words, "[FLAG…]")
	}
	if c.ArgsUsage != "" {
		words = append(words, c.ArgsUsage)
	}
	return strings.Join(words, " ")
}

// commandRows lists the commands of c with their usage. The library gives every program the command help, which all
// know, and completion, which is worth a line only beside others.
func commandRows(c *cli.Command) (rows [][2]string) {
	for _, sub := range c.Commands {
		if !sub.Hidden && sub.Name != "help" {
			rows = append(rows, [2]string{sub.Name, sub.Usage})
		}
	}
	if len(rows) == 1 && rows[0][0] == "completion" {
		return nil
	}
	return rows
}

// shownFlags returns the flags of c that are not hidden, in the order of the groups.
func shownFlags(c *cli.Command, group string) (flags []cli.Flag) {
	for _, f := range c.Flags {
		if categoryOf(f) == group {
			flags = append(flags, f)
		}
	}
	return flags
}

func isSeldom(c *cli.Command, f cli.Flag) bool {
	seldom, _ := c.Metadata["seldom"].(map[string]bool)
	return seldom[f.Names()[0]]
}

// categoryOf returns a flag's group, or "" for a hidden flag.
func categoryOf(f cli.Flag) string {
	if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
		return ""
	}
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}

// flagRow is how help shows a flag: its names with what it takes, and its usage with its default.
func flagRow(f cli.Flag) [2]string {
	label, usage := "", ""
	for _, name := range f.Names() {
		if len(name) == 1 {
			label += "-" + name + ", "
		}
	}
	value, usage := valueAndUsage(f)
	label += "--" + f.Names()[0]
	if value != "" {
		label += " " + value
	}
	if d := defaultOf(f); d != "" {
		usage += " (default: " + d + ")"
	}
	return [2]string{label, usage}
}

// valueAndUsage returns what stands for a flag's value, and its usage. A word between backquotes in the usage names the
// value.
func valueAndUsage(f cli.Flag) (value, usage string) {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		usage = d.GetUsage()
	}
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		if name, after, ok := strings.Cut(rest, "`"); ok {
			return name, before + name + after
		}
	}
	switch f := f.(type) {
	case *cli.StringFlag:
		if f.Validator != nil { // see bytes
			return "SIZE", usage
		}
	case *cli.BoolFlag:
		return "", usage
	case *cli.IntFlag:
		return "N", usage
	case *cli.DurationFlag:
		return "TIME", usage
	}
	return "VALUE", usage
}

// defaultOf returns a flag's default as one would type it; "" when it has none or its usage tells.
func defaultOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		return f.Value
	case *cli.IntFlag:
		if !f.HideDefault {
			return strconv.Itoa(f.Value)
		}
	case *cli.DurationFlag:
		if !f.HideDefault {
			return shortTime(f.Value)
		}
	case *cli.BoolFlag:
		if f.Value {
			return "true"
		}
	}
	return ""
}

// shortTime is a time without the units that are zero: 5m, not 5m0s.
func shortTime(d time.Duration) string {
	s := d.String()
	if d%time.Minute == 0 {
		s = strings.TrimSuffix(s, "0s")
	}
	if d%time.Hour == 0 {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// writeColumns writes labels and texts side by side, the texts wrapped.
func writeColumns(b *strings.Builder, rows [][2]string) {
	width := 0
	for _, row := range rows {
		if n := len([]rune(row[0])); n <= widestLabel {
			width = max(width, n)
		}
	}
	indent := strings.Repeat(" ", 3+width+2)
	for _, row := range rows {
		label := "   " + row[0]
		if n := len([]rune(row[0])); n > width {
			label += "\n" + indent
		} else {
			label += strings.Repeat(" ", width-n+2)
		}
		b.WriteString(label + strings.Join(wrapped(row[1], helpWidth-len(indent)), "\n"+indent) + "\n")
	}
}

// wrapped breaks text into lines of at most width columns, between words.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
