// Package runasowner lets a program that a container starts as root become whoever owns the directory it works on, so
// that what it writes into a bind mount belongs to the person outside, whose user id nobody could tell it.
//
// Docker makes a missing bind mount's directory as root. Exec therefore first gives such a directory to the owner of
// something that surely is that person's, a file of the project:
//
//	root, few capabilities ──▶ is Dir root's and empty? chown it like Like ──▶ become Dir's owner ──▶ exec
//
// From then on the process has no capability and can get none back, also when the owner is root: under a rootless
// engine root is the person outside, and elsewhere it is root who ran it.
package runasowner

import "errors"

// Config says whom to become.
type Config struct {
	// Dir is the directory whose owner and group the program gets. Required; it must exist.
	Dir string

	// Like is a file or directory whose owner and group are given to Dir first, if Dir is root's and empty, which is
	// how an engine leaves a directory it had to make. Empty leaves Dir as it is.
	Like string
}

// Validate names the first field that cannot be used, and why.
func (c Config) Validate() error {
	if c.Dir == "" {
		return errors.New("the directory whose owner to become is missing")
	}
	return nil
}

// Exec replaces this process by the program argv[0], found on PATH, with the arguments argv[1:] and this process's
// environment, run by the owner of Dir and without any capability. It returns only if that fails. A process that is
// not root changes nothing and runs the program as itself. Linux only; elsewhere it returns errors.ErrUnsupported.
//
// It needs the capabilities SETUID and SETGID, and CHOWN for Like. A file system that refuses to change an owner
// (shared folders of a virtual machine do) is no error: the program then runs as the owner that Dir has.
func Exec(c Config, argv []string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("the program to run is missing")
	}
	return replace(c, argv)
}
