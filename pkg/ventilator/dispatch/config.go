package dispatch

import (
	"errors"
	"time"
)

// DefaultInflightBytes is the default of Config.MaxInflightBytes.
const DefaultInflightBytes = 64 << 20

// Config says how tasks are delivered. A zero field means its default.
type Config struct {
	MaxInflightBytes int64 // bytes of images that are read and not yet sent, in all; default DefaultInflightBytes
	MaxDeliveries    int   // failed deliveries after which a task is a dead letter; default 5
	StrangerPrefetch int   // unsettled tasks of a peer that does not announce its own prefetch; default 2

	Lease        time.Duration // how long a worker may hold a task without a heartbeat that lists it; default 30 s
	SilentLease  time.Duration // the same for a stranger, which sends no heartbeats; default 5 min
	BackoffMin   time.Duration // pause after the first failure of a task, doubled by each further one; default 500 ms
	BackoffMax   time.Duration // longest pause after a failure; default 30 s
	SpeculateAge time.Duration // age from which a delivery is sent to a second, idle worker; default 5 s; negative: never

	// The ventilator that owns the dispatcher sets the fields below; whoever configures a run leaves them zero.

	// WithoutSink says that no sink reports results: leases never expire, and strangers need no events.
	WithoutSink bool
	// OutputNames returns the names of the outputs of an image. Default: results of strangers settle nothing.
	OutputNames func(image string) []string
	// Jitter returns a random duration from 0 to limit. Default: always 0.
	Jitter func(limit time.Duration) time.Duration
	// OnDead is called with each task that is out of deliveries, to have it settled as dead. It may call Settle.
	// Default: not called.
	OnDead func(*Task)
}

// Validate returns an error that says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.MaxInflightBytes < 0:
		return errors.New("the limit of bytes in flight is negative")
	case c.MaxDeliveries < 0:
		return errors.New("the limit of deliveries is negative")
	case c.StrangerPrefetch < 0:
		return errors.New("the prefetch of strangers is negative")
	case min(c.Lease, c.SilentLease) < 0:
		return errors.New("a lease is negative")
	case min(c.BackoffMin, c.BackoffMax) < 0:
		return errors.New("a backoff is negative")
	}
	return nil
}

// withDefaults returns c with every zero field set to its default.
func (c Config) withDefaults() Config {
	setDefault(&c.MaxInflightBytes, DefaultInflightBytes)
	setDefault(&c.MaxDeliveries, 5)
	setDefault(&c.StrangerPrefetch, 2)
	setDefault(&c.Lease, 30*time.Second)
	setDefault(&c.SilentLease, 5*time.Minute)
	setDefault(&c.BackoffMin, 500*time.Millisecond)
	setDefault(&c.BackoffMax, 30*time.Second)
	setDefault(&c.SpeculateAge, 5*time.Second)
	if c.OutputNames == nil {
		c.OutputNames = func(string) []string { return nil }
	}
	if c.Jitter == nil {
		c.Jitter = func(time.Duration) time.Duration { return 0 }
	}
	if c.OnDead == nil {
		c.OnDead = func(*Task) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
