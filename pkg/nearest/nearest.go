// Package nearest finds the known word that a user most likely meant by a mistyped one.
package nearest

// far is a distance at which two words are not similar.
const far = 3

// Word returns the known word that is nearest to s, or "" if none is near. A near word differs from s by at most two
// letters, and by fewer letters than it has itself; one letter is always allowed. Nothing is near the empty word.
func Word(s string, known []string) string {
	if s == "" {
		return ""
	}
	best, distance := "", far
	for _, k := range known {
		if d := edits(s, k); d < distance && d < max(len(k), 2) {
			best, distance = k, d
		}
	}
	return best
}

// edits returns the optimal string alignment distance of a and b, at most far: the number of insertions, deletions,
// replacements and swaps of neighbours.
func edits(a, b string) int {
	const longest = 40
	if len(a) > longest || len(a)-len(b) >= far || len(b)-len(a) >= far {
		return far
	}
	var before, last, row [longest + far]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return min(last[len(b)], far)
}
