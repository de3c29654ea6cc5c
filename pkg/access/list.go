package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/reload"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// maxTokens bounds how many tokens a list has.
const maxTokens = 10_000

// Config says where the stored lines of tokens are.
type Config struct {
	File   string       // a line each; # begins a comment. It is read again when it changes. Empty: none
	Lines  []string     // further lines
	Logger *slog.Logger // nil: no logging
}

// List is a list of tokens. It is safe for concurrent use.
type List struct {
	cfg   Config
	files reload.Files[[]Token]

	guesses guesses // over HTTP

	plain     sync.Mutex // held while a password is checked, so that no more than maxGuesses are
	passwords guesses    // by PLAIN
}

// Open reads the tokens. It returns an error that names the first line that is wrong.
func Open(cfg Config) (*List, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &List{cfg: cfg}
	l.files = reload.Files[[]Token]{
		Paths: []string{cfg.File},
		Load:  l.load,
		Reloaded: func(tokens []Token) {
			cfg.Logger.Info("reloaded tokens", "file", cfg.File, "tokens", len(tokens))
		},
		Failed: func(err error) {
			cfg.Logger.Error("cannot reload tokens; the former ones stay in force", "file", cfg.File, "error", err)
		},
	}
	return l, l.files.Open()
}

func (l *List) load() ([]Token, error) {
	lines := slices.Clone(l.cfg.Lines)
	if l.cfg.File != "" {
		text, err := os.ReadFile(l.cfg.File)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			lines = append(lines, line)
		}
	}
	var tokens []Token
	for i, line := range lines {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
			continue
		}
		t, err := Parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		tokens = append(tokens, t)
	}
	switch {
	case len(tokens) == 0:
		return nil, errors.New("there is no token in it; make one with farm token issue")
	case len(tokens) > maxTokens:
		return nil, fmt.Errorf("there are %d tokens, more than %d", len(tokens), maxTokens)
	}
	return tokens, nil
}

// Find returns the token of a secret. ok is false if there is none, or if it has expired. The time that it takes does
// not depend on how much of a secret is right.
func (l *List) Find(secret string) (t Token, ok bool) {
	return l.find(sha256.Sum256([]byte(secret)))
}

var errPassword = errors.New("the token is wrong, expired or another's")

// Principal implements zsock.Passwords: the user is the name of a token's holder, and the password is the token. After
// maxGuesses different wrong ones no password of their account is checked for the rest of guessesSpan, not even a right
// one. Programs that connect over ipc share one account.
func (l *List) Principal(user, password, account string) (zsock.Principal, error) {
	l.plain.Lock()
	defer l.plain.Unlock()
	now := time.Now()
	if l.passwords.spent(account, now) {
		return zsock.Principal{}, zsock.ErrGuessing
	}
	if t, ok := l.Find(password); ok && t.Name == user {
		return t.principal(), nil
	}
	l.passwords.missOnce(account, sha256.Sum256([]byte(user+"\x00"+password)), now)
	return zsock.Principal{}, errPassword
}

// Check implements zsock.Passwords.
func (l *List) Check(p zsock.Principal) error {
	now := time.Now()
	for _, t := range l.files.Current() {
		if t.principal() == p && now.Before(t.Expires) {
			return nil
		}
	}
	return fmt.Errorf("the token of %s has expired or was taken back", p)
}

func (l *List) find(hash [sha256.Size]byte) (t Token, ok bool) {
	now := time.Now()
	for _, have := range l.files.Current() {
		if subtle.ConstantTimeCompare(have.hash[:], hash[:]) == 1 && now.Before(have.Expires) {
			t, ok = have, true
		}
	}
	return t, ok
}
