package access

import (
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
	return q.wrong > maxGuesses
}
