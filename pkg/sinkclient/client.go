// Package sinkclient is a typed client of a sink's control endpoint.
package sinkclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// maxReply bounds a reply: a page of the ledger with its outputs, or the status of a few hundred workers.
const maxReply = 16 << 20

// Client calls a sink. It is safe for concurrent use; it makes one call at a time.
type Client struct {
	req      *zsock.Req
	endpoint string
	runKey   []byte // nil: none
}

// Dial returns a client of the sink at endpoint. It returns at once: a call waits for the sink as long as its context
// allows.
func Dial(network zsock.Network, endpoint string) (*Client, error) {
	req, err := zsock.NewReq(zsock.Config{Network: network, MaxMessage: maxReply, PeerRoles: []string{pki.Sink}})
	if err != nil {
		return nil, err
	}
	if err := req.Dial(endpoint); err != nil {
		return nil, errors.Join(err, closeNow(req))
	}
	return &Client{req: req, endpoint: endpoint}, nil
}

func closeNow(req *zsock.Req) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return req.Close(ctx)
}

// UseRunKey makes calls that concern a run carry its key. Call it before the first call.
func (c *Client) UseRunKey(key []byte) { c.runKey = key }

// Close closes the connection and fails the calls under way.
func (c *Client) Close() error { return closeNow(c.req) }

// RefusedError says that the sink refused a call. The same call will be refused again.
type RefusedError struct{ Op, Why string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the sink refuses %q: %s", e.Op, printable.Line(e.Why))
}

// AbsentError says that no sink answered.
type AbsentError struct {
	Endpoint string
	Err      error
}

func (e *AbsentError) Error() string {
	if errors.Is(e.Err, zsock.ErrUngreeted) {
		return fmt.Sprintf("no sink answers at %s: what listens there closes connections without a greeting; "+
			"if it speaks TLS, give --tls", e.Endpoint)
	}
	return fmt.Sprintf("no sink answers at %s: is one running?", e.Endpoint)
}

// Unwrap returns the socket's error.
func (e *AbsentError) Unwrap() error { return e.Err }

func (c *Client) call(ctx context.Context, op string, args, value any) error {
	request := wire.EncodeRequest(op, args)
	if len(request) > wire.MaxRequest { // the sink would drop the connection, and the caller would try for ever
		why := fmt.Sprintf("the request has %d bytes; at most %d are allowed", len(request), wire.MaxRequest)
		return &RefusedError{Op: op, Why: why}
	}
	message, err := c.req.Do(ctx, zsock.Message{request})
	if errors.Is(err, zsock.ErrNoPeer) {
		for _, unreached := range c.req.Unreached() {
			err = errors.Join(err, unreached)
		}
		return &AbsentError{Endpoint: c.endpoint, Err: err}
	}
	if err != nil {
		return fmt.Errorf("asking the sink at %s for %q: %w", c.endpoint, op, err)
	}
	if len(message) != 1 {
		return fmt.Errorf("the sink at %s answered %q with %d frames", c.endpoint, op, len(message))
	}
	reply, err := wire.DecodeReply(message[0])
	if err != nil {
		return fmt.Errorf("the sink at %s answered %q: %w", c.endpoint, op, err)
	}
	if reply.Error != "" {
		return &RefusedError{Op: op, Why: reply.Error}
	}
	return wire.DecodeRaw(reply.Value, value)
}

// batch returns how many of left items the next request of a call takes, and its arguments: as many as MaxBatch and
// MaxRequest allow.
func batch(op string, left int, argsOf func(n int) any) (n int, args any) {
	n = min(left, wire.MaxBatch)
	for args = argsOf(n); n > 1 && len(wire.EncodeRequest(op, args)) > wire.MaxRequest; args = argsOf(n) {
		n /= 2
	}
	return n, args
}

// Status returns the sink's view of the farm. It asks for the workers page by page.
func (c *Client) Status(ctx context.Context) (*wire.Status, error) {
	s := new(wire.Status)
	if err := c.call(ctx, wire.OpStatus, nil, s); err != nil {
		return nil, err
	}
	for next := s.Next; next != ""; {
		var page wire.Status
		if err := c.call(ctx, wire.OpStatus, &wire.StatusArgs{After: next}, &page); err != nil {
			return nil, err
		}
		s.Workers = append(s.Workers, page.Workers...)
		next = page.Next
	}
	s.Next = ""
	return s, nil
}

// Settled returns the receipts of the settled tasks among ids, and the last failures of the others. It asks in batches;
// the instance is empty when different instances of the sink answered them. With present, it leaves out done tasks
// whose outputs are missing.
func (c *Client) Settled(ctx context.Context, ids []taskid.ID, present bool) (wire.Receipts, error) {
	var all wire.Receipts
	for first := true; len(ids) > 0; first = false {
		n := min(len(ids), wire.MaxBatch) // a full batch is far smaller than MaxRequest
		args := wire.SettledArgs{Present: present, IDs: make([]string, n)}
		for i, id := range ids[:n] {
			args.IDs[i] = id.String()
		}
		var got wire.Receipts
		if err := c.call(ctx, wire.OpSettled, &args, &got); err != nil {
			return wire.Receipts{}, err
		}
		all.Receipts = append(all.Receipts, got.Receipts...)
		all.Failed = append(all.Failed, got.Failed...)
		if first {
			all.Instance = got.Instance
		} else if all.Instance != got.Instance {
			all.Instance = ""
		}
		ids = ids[n:]
	}
	return all, nil
}

// Variants returns which variants of images the ledger has outputs of, in the order of args.Images. With a Run it
// settles the images of which every variant is known. It asks in batches.
func (c *Client) Variants(ctx context.Context, args wire.VariantsArgs) ([]wire.KnownVariants, error) {
	if args.Run != "" {
		args.Key = c.runKey
	}
	var all []wire.KnownVariants
	for left := args.Images; len(left) > 0; {
		n, request := batch(wire.OpVariants, len(left), func(n int) any {
			args.Images = left[:n]
			return &args
		})
		var got wire.Variants
		if err := c.call(ctx, wire.OpVariants, request, &got); err != nil {
			return nil, err
		}
		if len(got.Known) != n {
			return nil, fmt.Errorf("the sink at %s answered %d images of %d", c.endpoint, len(got.Known), n)
		}
		all = append(all, got.Known...)
		left = left[n:]
	}
	return all, nil
}

// Reserve reserves the outputs of images for args.Run, and returns which of them another live run makes. It asks in
// batches.
func (c *Client) Reserve(ctx context.Context, args wire.VariantsArgs) ([]wire.Clash, error) {
	args.Key = c.runKey
	var all []wire.Clash
	images, done := args.Images, 0
	for done < len(images) {
		n, request := batch(wire.OpReserve, len(images)-done, func(n int) any {
			args.Images = images[done : done+n]
			return &args
		})
		var got wire.Clashes
		if err := c.call(ctx, wire.OpReserve, request, &got); err != nil {
			return nil, err
		}
		for _, clash := range got.Clashes {
			if clash.Image < 0 || clash.Image >= n {
				return nil, fmt.Errorf("the sink at %s answered about image %d of %d", c.endpoint, clash.Image, n)
			}
			clash.Image += done
			all = append(all, clash)
		}
		done += n
	}
	return all, nil
}

// Settle commits receipts that no worker's result stands behind: dead letters, images rejected before they were sent,
// outputs of strangers. It returns them as committed: a task that was settled before keeps its first outcome.
func (c *Client) Settle(ctx context.Context, receipts []wire.Receipt) ([]wire.Receipt, error) {
	var all []wire.Receipt
	for len(receipts) > 0 {
		n, args := batch(wire.OpSettle, len(receipts), func(n int) any {
			return &wire.Receipts{Receipts: receipts[:n],
				Key: c.runKey}
		})
		var got wire.Receipts
		if err := c.call(ctx, wire.OpSettle, args, &got); err != nil {
			return nil, err
		}
		all = append(all, got.Receipts...)
		receipts = receipts[n:]
	}
	return all, nil
}

// TellRun reports a run's counts. It returns whether an operator wants the run to go on, and how many workers the sink
// knows.
func (c *Client) TellRun(ctx context.Context, run *wire.Run) (wire.Steering, error) {
	var s wire.Steering
	err := c.call(ctx, wire.OpRun, &wire.RunReport{Run: *run, Key: c.runKey}, &s)
	return s, err
}

// Steer pauses, resumes or cancels a run; an empty run means every live one.
func (c *Client) Steer(ctx context.Context, run string, state outcome.RunState) error {
	var s wire.Steering
	return c.call(ctx, wire.OpSteer, &wire.Steering{Run: run, State: state}, &s)
}

// Entries returns a page of the ledger.
func (c *Client) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	page := new(wire.Entries)
	return page, c.call(ctx, wire.OpEntries, &args, page)
}

// Retry makes the rejected and dead tasks that args select due again, and returns how many they are.
func (c *Client) Retry(ctx context.Context, args wire.EntriesArgs) (int, error) {
	var n wire.Count
	err := c.call(ctx, wire.OpRetry, &args, &n)
	return n.Count, err
}

// Runs returns the runs that the ledger knows, newest first. It asks for them page by page.
func (c *Client) Runs(ctx context.Context) ([]wire.Run, error) {
	var all []wire.Run
	for args := (wire.RunsArgs{}); ; {
		var page wire.Runs
		if err := c.call(ctx, wire.OpRuns, &args, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Runs...)
		if args.After = page.Next; args.After == "" || len(page.Runs) == 0 {
			return all, nil
		}
	}
}

// Owners returns which images the outputs of these names were made from, as far as the ledger knows. It asks in
// batches.
func (c *Client) Owners(ctx context.Context, outputs []string) ([]wire.Owner, error) {
	var all []wire.Owner
	for len(outputs) > 0 {
		n, args := batch(wire.OpOwners, len(outputs), func(n int) any { return &wire.OwnersArgs{Outputs: outputs[:n]} })
		var got wire.Owners
		if err := c.call(ctx, wire.OpOwners, args, &got); err != nil {
			return nil, err
		}
		all = append(all, got.Owners...)
		outputs = outputs[n:]
	}
	return all, nil
}

// Sources returns sources of the ledger's images; more says that there are further ones.
func (c *Client) Sources(ctx context.Context) (sources []string, more bool, err error) {
	var got wire.Owners
	err = c.call(ctx, wire.OpOwners, &wire.OwnersArgs{}, &got)
	return got.Sources, got.More, err
}

// Acknowledge marks the rejected and dead tasks that args select as known to an operator, and returns how many.
func (c *Client) Acknowledge(ctx context.Context, args wire.EntriesArgs) (int, error) {
	var n wire.Count
	err := c.call(ctx, wire.OpAck, &args, &n)
	return n.Count, err
}

// Backup copies the sink's ledger to a new file, whose absolute path is one of the sink's machine, and returns its
// size in bytes. A sink refuses the call except at its local endpoint.
func (c *Client) Backup(ctx context.Context, path string) (int64, error) {
	var made wire.Backup
	err := c.call(ctx, wire.OpBackup, &wire.BackupArgs{Path: path}, &made)
	return made.Size, err
}
