package blob

import (
	"fmt"
	"strings"
)

// Open returns the store that the text of a flag names: today, a directory. A store of another kind is a case here.
func Open(text string, cfg Config) (*Dir, error) {
	if scheme, _, is := strings.Cut(text, "://"); is {
		return nil, fmt.Errorf("cannot open the store %q: there are no stores of the kind %s://, only directories", text, scheme)
	}
	return OpenDir(text, cfg)
}
