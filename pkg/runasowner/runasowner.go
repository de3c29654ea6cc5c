// Package runasowner runs a program that a container starts as root as the owner of the directory that it works on.
// The files that it writes into a bind mount then belong to the person outside, whose user id the container cannot
// know.
//
// Docker creates a missing directory of a bind mount as root. Exec therefore first gives such a directory to the
// owner of a file that is surely that person's, such as a file of the project:
//
//	root, few capabilities ──▶ is Dir root's and empty? chown it like Like ──▶ become Dir's owner ──▶ exec
//
// From then on the process has no capability and can get none back, even if the owner is root. Under a rootless
// engine root is the person outside; elsewhere root ran the container.
package runasowner

import "errors"

// Config says which owner to become.
type Config struct {
	// Dir is the directory whose owner and group the program gets. Required; it must exist.
	Dir string

	// Like is a file or directory whose owner and group Dir gets first if Dir is root's and empty, as an engine leaves a
	// directory that it had to create. Default: Dir keeps its owner.
	Like string
}

// Validate returns an error that names the first invalid field, and why it is invalid.
func (c Config) Validate() error {
	if c.Dir == "" {
		return errors.New("the directory whose owner to become is missing")
	}
	return nil
}

// Exec replaces this process with the program argv[0], found on PATH, with the arguments argv[1:] and this process's
// environment. The program runs as the owner of Dir, without any capability. Exec returns only if that fails. A
// process that is not root runs the program as itself. Outside Linux the error is errors.ErrUnsupported.
//
// Exec needs the capabilities SETUID and SETGID, and CHOWN for Like. Some file systems refuse to change an owner,
// such as the shared folders of a virtual machine. The program then runs as the owner that Dir has.
func Exec(c Config, argv []string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("the program to run is missing")
	}
	return replace(c, argv)
}
