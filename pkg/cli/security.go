package cli

import (
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/access"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// tlsFlags name a member's certificate.
func tlsFlags() []cli.Flag {
	return []cli.Flag{
		text(whereToGo, "tls", "", "`FILE` made by farm tls issue: speak TLS, as the member that it names"),
		text(whereToGo, "tls-deny", "", "`FILE` of members that are denied, one ROLE/NAME or serial a line"),
	}
}

// insecureFlag allows endpoints that other machines can reach without TLS.
func insecureFlag() cli.Flag {
	return yes(whereToGo, "insecure", "let other machines in without TLS; only on a network of the farm alone")
}

// network is what the sockets of a command share.
type network struct {
	zsock.Network
	credentials *pki.Credentials // nil without --tls
	tokens      *access.List     // nil without --tokens
}

// networkOf returns the network of tlsFlags. The certificate must be of one of the roles.
func networkOf(c *cli.Command, log *slog.Logger, roles ...string) (network, error) {
	n := network{Network: zsock.Network{Logger: log}}
	tokens, err := tokensOf(c, log)
	if err != nil {
		return n, err
	}
	if n.tokens = tokens; tokens != nil {
		n.Passwords = tokens
	}
	if c.String("tls") == "" {
		if c.String("tls-deny") != "" {
			return n, usagef("--tls-deny needs --tls")
		}
		return n, nil
	}
	credentials, err := pki.Open(pki.Config{Bundle: c.String("tls"), Deny: c.String("tls-deny"), Logger: log})
	if err != nil {
		return n, usagef("--tls: %v", err)
	}
	self := credentials.Self()
	if !slices.Contains(roles, self.Role) {
		return n, usagef("--tls %s: it is the certificate of %s/%s; the role must be %s",
			c.String("tls"), self.Role, self.Name, pki.AnyOf(roles))
	}
	left := time.Until(credentials.Expires())
	switch {
	case left <= 0:
		return n, usagef("--tls %s: the certificate expired at %s; issue a new one",
			c.String("tls"), credentials.Expires().Format(time.RFC3339))
	case left < expiresSoon:
		log.Warn("the certificate expires soon", "file", c.String("tls"), "expires", credentials.Expires())
	}
	n.credentials, n.Security = credentials, credentials
	return n, nil
}

// expiresSoon is how long before a certificate expires programs begin to warn.
const expiresSoon = 14 * 24 * time.Hour

// measure exports when the certificate expires.
func (n network) measure(reg prometheus.Registerer) {
	if n.credentials != nil {
		telemetry.RegisterCertificate(reg, n.credentials.Expires)
	}
}

// usualScheme returns the scheme of endpoints that are typed without one.
func usualScheme(c *cli.Command) string {
	if c.String("tls") != "" {
		return "tls"
	}
	return "tcp"
}

// checkBinds refuses endpoints that other machines can reach without TLS, unless --insecure allows them.
func checkBinds(c *cli.Command, endpoints ...string) error {
	for _, e := range endpoints {
		if strings.HasPrefix(e, "tcp://") && !onThisMachine(e) && !c.Bool("insecure") {
			return usagef("other machines could reach %s without TLS; give --tls FILE (see farm tls), "+
				"or --insecure on a network that only the farm is on", e)
		}
	}
	return nil
}

// nameWorker puts the certificate's name before the usual name of a worker: several processes may have one certificate.
// It refuses a --name that the certificate does not allow.
func (n network) nameWorker(c *cli.Command, name *string) error {
	if n.credentials == nil {
		return nil
	}
	self := n.credentials.Self()
	if c.String("name") == "" {
		*name = self.Name + "/" + *name
	}
	if pki.Certified(*name, zsock.Principal{Role: self.Role, Name: self.Name}) != *name {
		return usagef("--name %q: the certificate of --tls allows %s, and names that begin with %[2]s/", *name, self.Name)
	}
	return nil
}

// https returns the configuration of the HTTP server; nil without --tls.
func (n network) https() *tls.Config {
	if n.credentials == nil {
		return nil
	}
	return n.credentials.HTTPS()
}
