// Package access admits people and programs by tokens: to a role's HTTP, and through a tunnel.
//
// A token is a secret of 256 random bits. A farm stores only a line with its hash:
//
//	viewer anna 2027-01-31T12:00:00Z sha256:6a3f…
//
// so whoever reads the stored lines cannot use them.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Token is what a farm stores of a token.
type Token struct {
	Role    string // one of pki.Roles, but no sink
	Name    string // of its holder
	Expires time.Time
	hash    [sha256.Size]byte
}

// Begin is how every token begins, so that scanners for leaked secrets recognise one.
const Begin = "imagefarm_"

const hashPrefix = "sha256:"

// Roles returns the roles that a token may have.
func Roles() []string { return []string{pki.Viewer, pki.Operator, pki.Worker, pki.Ventilator} }

// Issue makes a token. The secret is returned once and stored nowhere.
func Issue(role, name string, expires time.Time) (secret string, t Token, err error) {
	t = Token{Role: role, Name: name, Expires: expires.UTC().Truncate(time.Second)}
	if err := t.validate(); err != nil {
		return "", Token{}, err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret = Begin + base64.RawURLEncoding.EncodeToString(random)
	t.hash = sha256.Sum256([]byte(secret))
	return secret, t, nil
}

func (t Token) validate() error {
	if !slices.Contains(Roles(), t.Role) {
		return fmt.Errorf("role %.40q is none of %s", t.Role, strings.Join(Roles(), ", "))
	}
	return pki.CheckName("token's holder", t.Name)
}

func (t Token) principal() zsock.Principal {
	return zsock.Principal{Role: t.Role, Name: t.Name, Expires: t.Expires}
}

// String returns the line to store.
func (t Token) String() string {
	return fmt.Sprintf("%s %s %s %s%x", t.Role, t.Name, t.Expires.Format(time.RFC3339), hashPrefix, t.hash)
}

// Parse reads a stored line.
func Parse(line string) (Token, error) {
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return Token{}, fmt.Errorf("a token's line has %d fields, not 4: ROLE NAME EXPIRES %s…; make one with "+
			"farm token issue", len(fields), hashPrefix)
	}
	t := Token{Role: fields[0], Name: fields[1]}
	if err := t.validate(); err != nil {
		return Token{}, err
	}
	var err error
	if t.Expires, err = time.Parse(time.RFC3339, fields[2]); err != nil {
		return Token{}, fmt.Errorf("the token of %s expires at %.40q, which is no time such as 2027-01-31T12:00:00Z",
			t.Name, fields[2])
	}
	digits, ok := strings.CutPrefix(fields[3], hashPrefix)
	hash, err := hex.DecodeString(digits)
	if !ok || err != nil || len(hash) != len(t.hash) {
		return Token{}, fmt.Errorf("the token of %s has no hash %s of 64 digits", t.Name, hashPrefix)
	}
	t.hash = [sha256.Size]byte(hash)
	return t, nil
}
