package pki

import (
	"fmt"
	"os"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// denyList is the members that are denied: ROLE/NAME, and serial numbers in the form of zsock.Principal.
type denyList map[string]bool

func (d denyList) has(p zsock.Principal) bool { return d[p.Role+"/"+p.Name] || d[p.Serial] }

// readDenied reads a list of denied members. It returns an error for a line that can name nobody: an operator who
// mistypes a member must not believe that it is denied.
func readDenied(file string) (denyList, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d, line := make(denyList), 0
	for entry := range strings.Lines(string(text)) {
		line++
		entry, _, _ = strings.Cut(entry, "#")
		if entry = strings.ToLower(strings.TrimSpace(entry)); entry == "" {
			continue
		}
		key, err := deniedKey(entry)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, line, err)
		}
		d[key] = true
	}
	return d, nil
}

func deniedKey(entry string) (string, error) {
	if role, name, ok := strings.Cut(entry, "/"); ok {
		return entry, Member{Farm: scheme, Role: role, Name: name}.validate()
	}
	serial := strings.ReplaceAll(strings.TrimPrefix(entry, "serial="), ":", "") // as openssl prints it, too
	if serial = strings.TrimLeft(serial, "0"); serial == "" || strings.Trim(serial, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%.80q is neither ROLE/NAME nor a serial number in hexadecimal digits", entry)
	}
	return serial, nil
}
