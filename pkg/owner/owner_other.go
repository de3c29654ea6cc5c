//go:build !linux

package owner

import (
	"errors"
	"fmt"
)

func replace(c Config, _ []string) error {
	return fmt.Errorf("becoming the owner of %s: %w", c.Dir, errors.ErrUnsupported)
}
