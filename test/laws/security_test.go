package laws

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each row of the table in SECURITY.md ends with the tests that try what it says: `DIRECTORY` `TestName`, `TestName`.
func TestEachThreatNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	quoted, isTest := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`^(Test|Fuzz)\w+$`)
	sources := make(map[string]string) // directory → its tests
	rows := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Who ") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		dir, named := "", 0
		for _, word := range quoted.FindAllStringSubmatch(cells[len(cells)-1], -1) {
			if !isTest.MatchString(word[1]) {
				dir = word[1]
				continue
			}
			named++
			if _, read := sources[dir]; !read {
				sources[dir] = testsOf(t, dir)
			}
			if !strings.Contains(sources[dir], "\nfunc "+word[1]+"(") {
				t.Errorf("%s has no %s, which SECURITY.md names", dir, word[1])
			}
		}
		if named == 0 {
			t.Errorf("SECURITY.md names no test of %q", cells[0]+": "+cells[1])
		}
	}
	if rows < 40 {
		t.Errorf("SECURITY.md has %d threats; is its table still one?", rows)
	}
}

// testsOf returns the text of all tests in a directory of the module.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
