// Package pki has a farm's own certificate authority and the certificates of its members. A certificate names the farm,
// a role and a member in a URI, imagefarm://FARM/ROLE/NAME. Host names in certificates matter to browsers only.
//
// A bundle is one PEM file with all that a member needs: its key, its certificate, and the authority's certificate.
package pki

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// The roles of members.
const (
	Ventilator = "ventilator" // hands out tasks; reports its own runs
	Worker     = "worker"     // takes tasks; sends results and its own heartbeat
	Sink       = "sink"       // takes results; publishes events; answers requests
	Operator   = "operator"   // steers runs, retries and acknowledges; all that a viewer may
	Viewer     = "viewer"     // reads events, status and the ledger
	Tunnel     = "tunnel"     // carries the connections of others, which identify by a token
)

// Roles returns all roles.
func Roles() []string { return []string{Ventilator, Worker, Sink, Operator, Viewer, Tunnel} }

// Member is whom a certificate names.
type Member struct{ Farm, Role, Name string }

// maxMemberName bounds the names of farms and members, in bytes.
const maxMemberName = 64

const scheme = "imagefarm"

func (m Member) String() string { return m.url().String() }

func (m Member) url() *url.URL {
	return &url.URL{Scheme: scheme, Host: m.Farm, Path: "/" + m.Role + "/" + m.Name}
}

// parseMember returns whom a certificate's URI names.
func parseMember(u *url.URL) (Member, error) {
	parts := strings.Split(u.Path, "/")
	if u.Scheme != scheme || len(parts) != 3 || parts[0] != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Member{}, fmt.Errorf("%.200q is not of the form imagefarm://FARM/ROLE/NAME", u.String())
	}
	m := Member{Farm: u.Host, Role: parts[1], Name: parts[2]}
	return m, m.validate()
}

func (m Member) validate() error {
	if !slices.Contains(Roles(), m.Role) {
		return fmt.Errorf("role %.40q is none of %s", m.Role, strings.Join(Roles(), ", "))
	}
	for what, name := range map[string]string{"farm": m.Farm, "member": m.Name} {
		if err := CheckName(what, name); err != nil {
			return err
		}
	}
	return nil
}

// CheckName allows what is safe in URIs, file names and log lines without quotes.
func CheckName(what, name string) error {
	if name == "" || len(name) > maxMemberName {
		return fmt.Errorf("the name of a %s must have 1 to %d bytes; %.80q has %d", what, maxMemberName, name, len(name))
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '-' && r != '.' && r != '_') {
			return fmt.Errorf("the name %.80q of a %s may have only a-z, 0-9 and, after the first, - . _", name, what)
		}
	}
	return nil
}

// Certified returns the name of a worker: the declared one if there is no certificate, if the certificate has the same,
// or if the declared one begins with the certificate's and a slash, as of several processes with one certificate.
// Otherwise it is the certificate's.
func Certified(declared string, p zsock.Principal) string {
	if p.Role == "" || declared == p.Name || strings.HasPrefix(declared, p.Name+"/") {
		return declared
	}
	return p.Name
}

// AnyOf lists roles in words.
func AnyOf(roles []string) string { return strings.Join(roles, " or ") }
