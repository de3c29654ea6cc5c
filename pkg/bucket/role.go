package bucket

import (
	"errors"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// machineRole has the credentials of the pod's, the container's or the machine's role. It remembers for a while that
// there are none: outside a cloud, the question takes seconds, and the client asks before each anonymous request.
type machineRole struct {
	credentials.IAM
	disabled bool

	mu     sync.Mutex
	failed time.Time // when there were none
}

// noRoleFor is how long machineRole remembers that there are no credentials.
const noRoleFor = 5 * time.Minute

var errNoRole = errors.New("there is no role")

// RetrieveWithCredContext implements credentials.Provider.
func (r *machineRole) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.disabled || !r.failed.IsZero() && time.Since(r.failed) < noRoleFor {
		return credentials.Value{}, errNoRole
	}
	v, err := r.IAM.RetrieveWithCredContext(cc)
	if err != nil {
		r.failed = time.Now()
	}
	return v, err
}

// Retrieve implements credentials.Provider.
func (r *machineRole) Retrieve() (credentials.Value, error) { return r.RetrieveWithCredContext(nil) }
