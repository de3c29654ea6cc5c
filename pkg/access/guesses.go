package access

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// Bounds on wrong tokens.
const (
	guessesSpan = time.Minute
	maxGuesses  = 20   // of one account in guessesSpan
	maxGuessers = 4096 // accounts that are remembered
)

// guesses counts wrong tokens by account.
type guesses struct {
	mu sync.Mutex
	of map[string]guessing
}

type guessing struct {
	since time.Time
	wrong int
	tried [][sha256.Size]byte // what missOnce counted
}

// spent reports whether the account has had all its wrong tokens of this minute.
func (g *guesses) spent(account string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.of[account]
	return q.wrong >= maxGuesses && now.Sub(q.since) <= guessesSpan
}

// miss counts a wrong token, and reports whether the account has had too many.
func (g *guesses) miss(account string, now time.Time) (tooMany bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count(account, now).wrong > maxGuesses
}

// missOnce counts a wrong token unless it has counted the same one for the account within this minute: a program that
// connects again and again with an expired token guesses nothing.
func (g *guesses) missOnce(account string, hash [sha256.Size]byte, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if q := g.of[account]; now.Sub(q.since) <= guessesSpan && slices.Contains(q.tried, hash) {
		return
	}
	q := g.count(account, now)
	q.tried = append(q.tried, hash)
	g.of[account] = q
}

// count counts a wrong token of an account, and returns what is known of it. g.mu must be held.
func (g *guesses) count(account string, now time.Time) guessing {
	if g.of == nil || len(g.of) >= maxGuessers {
		for a, q := range g.of {
			if now.Sub(q.since) > guessesSpan {
				delete(g.of, a)
			}
		}
		if g.of == nil || len(g.of) >= maxGuessers {
			g.of = make(map[string]guessing)
		}
	}
	q := g.of[account]
	if now.Sub(q.since) > guessesSpan {
		q = guessing{since: now}
	}
	q.wrong++
	g.of[account] = q
	return q
}
