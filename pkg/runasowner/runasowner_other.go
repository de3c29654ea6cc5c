//go:build !linux

package runasowner

import (
	"errors"
	"fmt"
)

func replace(c Config, _ []string) error {
	return fmt.Errorf("becoming the owner of %s: %w", c.Dir, errors.ErrUnsupported)
}
