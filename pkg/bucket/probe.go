package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

// ErrMistaken says that the endpoint is wrong.
var ErrMistaken = errors.New("no such object store")

// ErrNoHost says that the name of the endpoint does not resolve, which is also an ErrMistaken.
var ErrNoHost = fmt.Errorf("%w: unknown host", ErrMistaken)

// probeTimeout bounds the listing of a probe, retries included.
const probeTimeout = 10 * time.Second

// Probe looks, before work begins, whether waiting for the store may be of use: whether it is reached, and knows the
// bucket and the credentials. Probe retries refused connections until patience has passed, and names that do not
// resolve, too: the name of a container that is starting is not known yet. A store that answers and lists nothing is no
// error, since it may still read or write, and neither is one that is busy.
//
// Errors: ErrNoHost: the name does not resolve; ErrMistaken: it is no object store; ErrNoBucket; ErrDenied: wrong
// credentials; ErrUnavailable: it refuses connections.
func (c *Client) Probe(ctx context.Context, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := c.reach(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		left := time.Until(deadline)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrUnavailable) && !isUnknownHost(err) || left <= 0 {
			return err
		}
		if err := c.pause(ctx, err, min(left, firstPause)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	noOwner := false
	all := c.core.ListObjectsIter(ctx, c.at.Bucket, minio.ListObjectsOptions{
		Prefix: c.at.Prefix, Recursive: true, MaxKeys: 1, FetchOwner: &noOwner,
	})
	next, stop := iter.Pull(all)
	defer stop()
	first, _ := next()
	return c.fatal(ctx, first.Err)
}

// fatal returns the error of a listing, if waiting changes nothing.
func (c *Client) fatal(ctx context.Context, err error) error {
	if known := c.unreached(err); errors.Is(known, ErrMistaken) {
		return known
	}
	explained := c.explain(ctx, "use", c.at.Prefix, err)
	var answer minio.ErrorResponse
	switch {
	case errors.Is(explained, ErrNoBucket), errors.Is(explained, context.Canceled):
		return explained
	case errors.As(err, &answer) && isOfCredentials(answer.Code):
		return &fault{kind: ErrDenied, what: "use " + c.at.String(), err: fmt.Errorf("the store answers %s: correct "+
			"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN, or the clock", answer.Code)}
	}
	return nil
}

// isOfCredentials reports whether an answer says that the credentials are wrong, not what they may do.
func isOfCredentials(code string) bool {
	switch code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
		"RequestTimeTooSkewed":
		return true
	}
	return false
}

// reach sends an unsigned request to the endpoint. Whatever is answered is good.
func (c *Client) reach(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.endpoint, nil)
	if err != nil {
		return err
	}
	res, err := c.http.RoundTrip(req)
	if err != nil {
		return c.unreached(err)
	}
	return res.Body.Close()
}

// unreached returns the error of a request that says that nothing was reached; nil if something was.
func (c *Client) unreached(err error) error {
	f := &fault{kind: ErrMistaken, what: "reach the object store at " + c.endpoint}
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case isUnknownHost(err):
		f.kind = ErrNoHost
		f.err = fmt.Errorf("its name does not resolve (%w): start it, or correct AWS_ENDPOINT_URL", err)
	case errors.As(err, &certificate):
		f.err = fmt.Errorf("%w: correct AWS_ENDPOINT_URL, or install the certificate's authority", certificate.Err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		f.err = errors.New("it does not speak TLS: correct the https of AWS_ENDPOINT_URL")
	case errors.As(err, &dial) && dial.Op == "dial":
		f.kind, f.err = ErrUnavailable, dial
	default:
		return nil
	}
	return f
}

// isUnknownHost reports whether an error says that a host's name does not resolve.
func isUnknownHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
