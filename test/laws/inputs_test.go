package laws

import "testing"

// Inputs are hostile: whoever opens one has to think of pipes, links and files that change. One package does.
func TestInputsAreOpenedInSourceAlone(t *testing.T) {
	for _, p := range packages(t) {
		if !within(p.ImportPath, "pkg/ventilator", "pkg/rejects") {
			continue
		}
		for _, imp := range p.Imports {
			if within := imp == "os" || imp == "syscall" || imp == "io/fs" || imp == "golang.org/x/sys/unix"; within {
				t.Errorf("%s imports %s: inputs are opened in pkg/source alone", p.ImportPath, imp)
			}
		}
	}
}
