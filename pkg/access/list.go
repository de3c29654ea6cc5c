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

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// reloadEvery is the shortest pause between two looks at the file of tokens.
const reloadEvery = 2 * time.Second

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
	cfg Config

	mu     sync.Mutex
	tokens []Token
	looked time.Time
	stamp  string
}

// Open reads the tokens. It returns an error that names the first line that is wrong.
func Open(cfg Config) (*List, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &List{cfg: cfg, looked: time.Now()}
	l.stamp = l.fileStamp()
	var err error
	l.tokens, err = l.load()
	return l, err
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

func (l *List) fileStamp() string {
	if l.cfg.File == "" {
		return ""
	}
	info, err := os.Stat(l.cfg.File)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}

// current returns what the file says now.
func (l *List) current() []Token {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.looked) < reloadEvery {
		return l.tokens
	}
	l.looked = time.Now()
	stamp := l.fileStamp()
	if stamp == l.stamp {
		return l.tokens
	}
	l.stamp = stamp
	fresh, err := l.load()
	if err != nil {
		l.cfg.Logger.Error("cannot reload tokens; the former ones stay in force", "file", l.cfg.File, "error", err)
		return l.tokens
	}
	l.tokens = fresh
	l.cfg.Logger.Info("reloaded tokens", "file", l.cfg.File, "tokens", len(fresh))
	return l.tokens
}

// Find returns the token of a secret. ok is false if there is none, or if it has expired. The time that it takes does
// not depend on how much of a secret is right.
func (l *List) Find(secret string) (t Token, ok bool) {
	return l.find(sha256.Sum256([]byte(secret)))
}

var errPassword = errors.New("the token is wrong, expired or another's")

// Principal implements zsock.Passwords: the user is the name of a token's holder, and the password is the token.
func (l *List) Principal(user, password string) (zsock.Principal, error) {
	t, ok := l.Find(password)
	if !ok || t.Name != user {
		return zsock.Principal{}, errPassword
	}
	return t.principal(), nil
}

// Check implements zsock.Passwords.
func (l *List) Check(p zsock.Principal) error {
	now := time.Now()
	for _, t := range l.current() {
		if t.principal() == p && now.Before(t.Expires) {
			return nil
		}
	}
	return fmt.Errorf("the token of %s has expired or was taken back", p)
}

func (l *List) find(hash [sha256.Size]byte) (t Token, ok bool) {
	now := time.Now()
	for _, have := range l.current() {
		if subtle.ConstantTimeCompare(have.hash[:], hash[:]) == 1 && now.Before(have.Expires) {
			t, ok = have, true
		}
	}
	return t, ok
}
