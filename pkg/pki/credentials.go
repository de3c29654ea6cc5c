package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/imagefarm/imagefarm/pkg/reload"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Config configures Open.
type Config struct {
	Bundle string       // the PEM file that Issue has made; required
	Deny   string       // a file of denied members, one ROLE/NAME or serial number in hexadecimal a line; default: none
	Logger *slog.Logger // default: nothing is logged
}

// Credentials are a member's certificate and whom it trusts. They are read again when their files change; a broken file
// is logged, and what was read before stays in force. They are safe for concurrent use.
type Credentials struct {
	files reload.Files[loaded]
}

// loaded is what the files say.
type loaded struct {
	self   Member
	leaf   *x509.Certificate
	config *tls.Config // without VerifyConnection
	roots  *x509.CertPool
	denied denyList
}

var _ zsock.Security = (*Credentials)(nil)

// Open reads a member's credentials.
func Open(cfg Config) (*Credentials, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Credentials{files: reload.Files[loaded]{
		Paths: []string{cfg.Bundle, cfg.Deny},
		Load:  func() (loaded, error) { return load(cfg) },
		Reloaded: func(l loaded) {
			cfg.Logger.Info("reloaded certificates", "member", l.self.String(), "expires", l.leaf.NotAfter)
		},
		Failed: func(err error) {
			cfg.Logger.Error("cannot reload certificates; the former ones stay in force", "error", err)
		},
	}}
	return c, c.files.Open()
}

func load(cfg Config) (loaded, error) {
	certs, key, err := readPEM(cfg.Bundle)
	if err != nil {
		return loaded{}, err
	}
	if key == nil || len(certs) < 2 {
		return loaded{}, fmt.Errorf("%s is no bundle: it needs a key, a certificate and the authority's certificate; "+
			"make one with: farm tls issue ROLE NAME", cfg.Bundle)
	}
	leaf := certs[0]
	l := loaded{leaf: leaf, roots: x509.NewCertPool()}
	for _, ca := range certs[1:] {
		l.roots.AddCert(ca)
	}
	if l.self, err = memberOf(leaf); err != nil {
		return loaded{}, fmt.Errorf("%s: %w", cfg.Bundle, err)
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); ok && !public.Equal(leaf.PublicKey) {
		return loaded{}, fmt.Errorf("%s: the key is not the certificate's", cfg.Bundle)
	}
	l.config = &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}},
		ClientAuth:   tls.RequireAnyClientCert,
		// Members are recognised by their URI, not by a host name: Principal verifies the chain of each connection.
		InsecureSkipVerify:          true,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
	if cfg.Deny == "" {
		return l, nil
	}
	l.denied, err = readDenied(cfg.Deny)
	return l, err
}

func memberOf(cert *x509.Certificate) (Member, error) {
	if len(cert.URIs) != 1 {
		return Member{}, fmt.Errorf("a certificate with %d URIs; exactly one must name its member", len(cert.URIs))
	}
	return parseMember(cert.URIs[0])
}

func (c *Credentials) current() loaded { return c.files.Current() }

// Self returns whom the certificate names.
func (c *Credentials) Self() Member { return c.current().self }

// Expires returns when the certificate expires.
func (c *Credentials) Expires() time.Time { return c.current().leaf.NotAfter }

// TLS implements zsock.Security.
func (c *Credentials) TLS() *tls.Config {
	config := c.current().config.Clone()
	config.VerifyConnection = func(s tls.ConnectionState) error {
		_, err := c.Principal(s)
		return err
	}
	return config
}

// HTTPS returns the configuration of a web server. Browsers need no certificate; they trust the server if they trust
// the authority and the certificate names the host.
func (c *Credentials) HTTPS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current().config.Certificates[0], nil
		},
	}
}

// Principal implements zsock.Security: it verifies the peer's certificate and returns whom it names.
func (c *Credentials) Principal(s tls.ConnectionState) (zsock.Principal, error) {
	if len(s.PeerCertificates) == 0 {
		return zsock.Principal{}, errors.New("the peer has no certificate")
	}
	now, leaf := c.current(), s.PeerCertificates[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: now.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return zsock.Principal{}, err
	}
	m, err := memberOf(leaf)
	if err != nil {
		return zsock.Principal{}, err
	}
	if m.Farm != now.self.Farm {
		return zsock.Principal{}, fmt.Errorf("the peer belongs to the farm %q, not to %q", m.Farm, now.self.Farm)
	}
	p := zsock.Principal{Role: m.Role, Name: m.Name, Serial: leaf.SerialNumber.Text(16), Expires: leaf.NotAfter,
		Carrier: m.Role == Tunnel}
	return p, now.check(p)
}

// Check implements zsock.Security.
func (c *Credentials) Check(p zsock.Principal) error { return c.current().check(p) }

func (l loaded) check(p zsock.Principal) error {
	switch {
	case l.denied.has(p):
		return fmt.Errorf("%s is on the deny list", p)
	case time.Now().After(p.Expires):
		return fmt.Errorf("the certificate of %s expired at %s", p, p.Expires.Format(time.RFC3339))
	}
	return nil
}
