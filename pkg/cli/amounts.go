package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// bytes returns a flag for an amount, mostly of bytes, such as 64MiB, 500kB, 250M or 1048576.
func bytes(category, name, value string, takes span[int64], usage string) cli.Flag {
	f := text(category, name, value, usage)
	within := takes.validator("an amount", showBytes)
	f.Validator = func(s string) error {
		n, err := parseBytes(s)
		if err != nil {
			return err
		}
		return within(n)
	}
	return f
}

// span is the range of values that a flag takes. A zero most means no upper bound.
type span[T int | int64 | time.Duration] struct{ least, most T }

func from[T int | int64 | time.Duration](least T) span[T] { return span[T]{least: least} }

func (s span[T]) to(most T) span[T] { return span[T]{s.least, most} }

// validator returns a function that refuses values outside of s. Its errors begin with itTakes and name the range.
func (s span[T]) validator(kind string, show func(T) string) func(T) error {
	return func(v T) error {
		switch {
		case v >= s.least && (s.most == 0 || v <= s.most):
			return nil
		case s.most == 0:
			return fmt.Errorf(itTakes+"%s of at least %s", kind, show(s.least))
		}
		return fmt.Errorf(itTakes+"%s from %s to %s", kind, show(s.least), show(s.most))
	}
}

// itTakes begins errors about the value of a flag.
const itTakes = "it takes "

// bytesOf returns the value of a bytes flag, which its validator has accepted.
func bytesOf(c *cli.Command, name string) int64 {
	n, _ := parseBytes(c.String(name))
	return n
}

var units = []struct {
	suffix string
	factor int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"", 1},
}

func parseBytes(s string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || !(n >= 0 && n*float64(u.factor) <= 1<<50) { // the condition also refuses NaN
			break
		}
		return int64(n * float64(u.factor)), nil
	}
	return 0, fmt.Errorf("%q is not an amount such as 64MiB, 250M or 1000000", s)
}

// showBytes writes n as a user would type it.
func showBytes(n int64) string {
	for _, unit := range []string{"GiB", "MiB", "KiB"} {
		if size, _ := parseBytes("1" + unit); n > 0 && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}
