package bucket

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

func TestMissingRoleIsAskedForSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		role := &machineRole{IAM: credentials.IAM{Endpoint: "http://metadata.invalid", Client: &http.Client{
			Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				asked.Add(1)
				w := httptest.NewRecorder()
				w.WriteHeader(http.StatusNotFound)
				return w.Result(), nil
			}),
		}}}
		ask := func() int64 {
			before := asked.Load()
			for range 10 {
				if _, err := role.Retrieve(); err == nil {
					t.Error("there is a role")
				}
			}
			return asked.Load() - before
		}
		once := ask()
		if again := ask(); once == 0 || again != 0 {
			t.Errorf("asked %d times, then %d", once, again)
		}
		time.Sleep(noRoleFor) // in virtual time
		if later := ask(); later != once {
			t.Errorf("asked %d times at first and %d later", once, later)
		}
		role = &machineRole{disabled: true}
		if _, err := role.Retrieve(); err == nil {
			t.Error("a disabled role is taken")
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
