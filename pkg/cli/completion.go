package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

const completionUsage = "print a script for a shell that completes commands and flags"

// completionHelp has the program's name filled in.
const completionHelp = `   source <(%[1]s completion bash)                           in .bashrc
   source <(%[1]s completion zsh)                            in .zshrc
   %[1]s completion fish > ~/.config/fish/completions/%[1]s.fish
   %[1]s completion pwsh > %[1]s.ps1`

// setCompletion adds the command that prints completion scripts.
func setCompletion(program *cli.Command) {
	program.EnableShellCompletion = true
	program.ConfigureShellCompletionCommand = func(c *cli.Command) {
		c.Hidden, c.Usage = false, completionUsage
		c.Description, c.Action = fmt.Sprintf(completionHelp, program.Name), showGroup
		c.HideHelpCommand = true
		for _, shell := range c.Commands {
			shell.Usage = "print the script for " + shell.Name
		}
		if fish := c.Command("fish"); fish != nil {
			fish.Action = rewritten(fish.Action, completeFiles)
		}
		if bash := c.Command("bash"); bash != nil {
			bash.Action = rewritten(bash.Action, completeSafely)
		}
	}
	// Commands without subcommands get no command "help": shells would complete it where a file is meant.
	eachCommand(program, func(c *cli.Command) {
		c.HideHelpCommand = c != program && len(c.Commands) == 0
	})
}

// completeFiles changes the library's script for fish, which suppresses completion of files: most arguments are files.
var completeFiles = strings.NewReplacer(" -f -a ", " -a ")

// completeSafely changes the library's script for bash. That fails at each Tab where the package bash-completion is not
// installed, and it evaluates what has been typed: a Tab after $(reboot) ran the command.
var completeSafely = strings.NewReplacer(
	`  else
    _get_comp_words_by_ref "$@"`, `  elif declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    _get_comp_words_by_ref "$@"`,
	`    opts=$(eval "${request_comp}" 2>/dev/null)
`, `    local -a request=("${COMP_WORDS[@]:0:${COMP_CWORD}}")
    [[ "${COMP_WORDS[COMP_CWORD]}" == -* ]] && request+=("${COMP_WORDS[COMP_CWORD]}")
    request[0]="${request[0]/#\~/${HOME}}"
    opts=$("${request[@]}" --generate-shell-completion 2>/dev/null)
`)

// rewritten returns an action that prints the script of another with changes.
func rewritten(script cli.ActionFunc, changes *strings.Replacer) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		root := c.Root()
		out := root.Writer
		var text strings.Builder
		root.Writer = &text
		err := script(ctx, c)
		root.Writer = out
		if err != nil {
			return err
		}
		_, err = changes.WriteString(out, text.String())
		return err
	}
}
