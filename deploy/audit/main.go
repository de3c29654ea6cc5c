// Command audit looks for what makes the programs unsafe to run or to hand on: known vulnerabilities in what they are
// built of, dangerous code, and licences that forbid handing them on.
//
//	go run ./deploy/audit
//
// It ends with status 1 when it finds something. What a machine cannot reach is skipped, and named.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/deploy/internal/licence"
)

// The version is pinned, so that everybody gets the same findings; its database is today's.
const govulncheck = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"

// allowed are the licences under which parts of the programs may be handed on with them, under the project's MIT.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// exceptions are parts with further licences.
var exceptions = map[string]string{
	"libde265": "LGPL-3.0", // WebAssembly in a file of its own, which a user can replace and build again
	"libheif":  "LGPL-3.0",
}

func main() {
	lint := flag.String("lint", "", "COMMAND that runs golangci-lint, whose gosec looks for dangerous code")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := errors.Join(vulnerabilities(ctx), code(ctx, strings.Fields(*lint)), licences(ctx))
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

// vulnerabilities asks the database of Go's vulnerabilities about the code that is called.
func vulnerabilities(ctx context.Context) error {
	database := os.Getenv("GOVULNDB")
	if database == "" {
		database = "https://vuln.go.dev"
	}
	if why := unreachable(ctx, database); why != nil {
		fmt.Printf("vulnerabilities: skipped, %s cannot be reached: %v\n", database, why)
		return nil
	}
	fmt.Println("vulnerabilities: by govulncheck, of", database)
	return run(ctx, "go", "run", govulncheck, "-db", database, "./...")
}

// unreachable says why the database does not answer, nil if it does.
func unreachable(ctx context.Context, database string) error {
	if !strings.HasPrefix(database, "http") {
		return nil // a directory, about which govulncheck can tell more
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	index := strings.TrimSuffix(database, "/") + "/index/db.json"
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, index, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// code looks for dangerous code with gosec, as .golangci.yml configures it.
func code(ctx context.Context, lint []string) error {
	if len(lint) == 0 {
		fmt.Println("dangerous code: skipped, there is no --lint")
		return nil
	}
	fmt.Println("dangerous code: by gosec")
	return run(ctx, lint[0], append(lint[1:], "run", "--enable-only", "gosec", "./...")...)
}

// licences lists those of everything that the programs and their tests are built of.
func licences(ctx context.Context) error {
	parts, err := licence.Parts(ctx, ".", []string{"-test"}, "./...")
	if err != nil {
		return err
	}
	fmt.Println("licences:")
	var wrong []string
	for _, p := range parts {
		fmt.Printf("  %s %s: %s\n", p.Name, p.Version, strings.Join(p.Kinds, ", "))
		for _, kind := range p.Kinds {
			if !slices.Contains(allowed, kind) && exceptions[p.Name] != kind {
				wrong = append(wrong, fmt.Sprintf("%s is under %s, which is not allowed here", p.Name, kind))
			}
		}
		if len(p.Kinds) == 0 {
			wrong = append(wrong, p.Name+" has no licence that is known here")
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
