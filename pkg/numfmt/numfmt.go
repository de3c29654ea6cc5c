// Package numfmt writes counts, rates, sizes, shares and times for people, in the same form in the progress bar, the
// summary, the report, the live page and every other text. The page's format.js follows the same rules.
package numfmt

import (
	"strconv"
	"strings"
	"time"
)

// Integer is any integer type that counts something.
type Integer interface {
	~int | ~int64 | ~uint64
}

// Count writes n with a comma between thousands: 12,345.
func Count[T Integer](n T) string { return thousands(strconv.FormatInt(int64(n), 10)) }

// Counted writes a count of things whose plural takes an s: 1 worker, 2,000 workers.
func Counted[T Integer](n T, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

// Rate writes a number per second: one decimal below 100, none from there on.
func Rate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "0"
	case perSecond < 99.95:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return thousands(strconv.FormatFloat(perSecond, 'f', 0, 64))
}

// Bytes writes an amount of bytes with three digits and a decimal unit: 1.23 MB.
func Bytes[T Integer | ~float64](n T) string {
	amount := float64(n)
	if amount < 1000 {
		return strconv.FormatFloat(amount, 'f', 0, 64) + " B"
	}
	units := []string{"kB", "MB", "GB", "TB"}
	unit := -1
	for amount >= 999.5 && unit < len(units)-1 {
		amount /= 1000
		unit++
	}
	return Digits(amount) + " " + units[max(unit, 0)]
}

// Digits writes f with three digits: 1.23, 12.3, 123.
func Digits(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// Percent writes a share from 0 to 1 in whole percent: 61 %.
func Percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + " %" }

// Time writes a duration with about three digits: 41µs, 12.3ms, 1m40s, 2h5m.
func Time(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
