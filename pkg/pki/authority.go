package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// The files of an authority in its directory. Whoever has the key can make members.
const (
	authorityCert = "ca.crt"
	authorityKey  = "ca.key"
)

const (
	authorityYears = 10
	backdate       = 5 * time.Minute // for clocks that are behind
)

// Init makes an authority for a farm in dir, which it creates. It refuses to replace one.
func Init(dir, farm string, now time.Time) error {
	if err := CheckName("farm", farm); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template, err := newTemplate("imagefarm "+farm, now, now.AddDate(authorityYears, 0, 0))
	if err != nil {
		return err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	template.URIs = []*url.URL{{Scheme: scheme, Host: farm}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, authorityKey), keyPEM); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, authorityCert), encodeCert(cert))
}

// Request is what Issue certifies.
type Request struct {
	Role, Name string
	Hosts      []string      // names and addresses by which browsers reach the member; may be empty
	Valid      time.Duration // from now
}

// Issue makes a key and a certificate, and returns the path of the new bundle, ROLE-NAME.pem in dir. It replaces an
// older bundle of the same name.
func Issue(dir string, r Request, now time.Time) (path string, err error) {
	ca, caKey, farm, err := openAuthority(dir)
	if err != nil {
		return "", err
	}
	m := Member{Farm: farm, Role: r.Role, Name: r.Name}
	if err := m.validate(); err != nil {
		return "", err
	}
	if r.Valid <= 0 {
		return "", fmt.Errorf("a certificate must be valid for some time, not %v", r.Valid)
	}
	until := now.Add(r.Valid)
	if until.After(ca.NotAfter) {
		until = ca.NotAfter
	}
	template, err := newTemplate(r.Role+" "+r.Name, now, until)
	if err != nil {
		return "", err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	template.URIs = []*url.URL{m.url()}
	for _, h := range r.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		return "", err
	}
	bundle, err := encodeKey(key)
	if err != nil {
		return "", err
	}
	bundle = append(append(bundle, encodeCert(cert)...), encodeCert(ca.Raw)...)
	path = filepath.Join(dir, r.Role+"-"+r.Name+".pem")
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := writeNew(fresh, bundle); err != nil {
		return "", err
	}
	return path, os.Rename(fresh, path) // running members reload it whole
}

func openAuthority(dir string) (ca *x509.Certificate, key crypto.Signer, farm string, err error) {
	certs, _, err := readPEM(filepath.Join(dir, authorityCert))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, "", fmt.Errorf("%s has no authority; make one with: farm tls init %s", dir, dir)
	}
	if err != nil {
		return nil, nil, "", err
	}
	_, key, err = readPEM(filepath.Join(dir, authorityKey))
	if err != nil {
		return nil, nil, "", err
	}
	if len(certs) != 1 || key == nil || len(certs[0].URIs) != 1 {
		return nil, nil, "", fmt.Errorf("%s and %s in %s are not of an imagefarm authority", authorityCert, authorityKey, dir)
	}
	return certs[0], key, certs[0].URIs[0].Host, nil
}

func newTemplate(name string, now, until time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-backdate), NotAfter: until,
	}, nil
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// readPEM returns the certificates and the key in a file.
func readPEM(path string) (certs []*x509.Certificate, key crypto.Signer, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
			certs = append(certs, cert)
		case "PRIVATE KEY":
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
			var ok bool
			if key, ok = parsed.(crypto.Signer); !ok {
				return nil, nil, fmt.Errorf("%s: a key of type %T cannot sign", path, parsed)
			}
		}
	}
	return certs, key, nil
}

// writeNew writes a file that only its owner can read, and refuses to replace one.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; it is not replaced", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
