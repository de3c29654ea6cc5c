package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/imagefarm/imagefarm/pkg/httpreply"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// maxAction is the size in bytes of the largest request.
const maxAction = 64 << 10

// action calls do. Whoever mounts the handler lets operators through only (Config.Actions). No other site can make a
// browser act: the handler refuses requests from other origins, and of types that forms can send.
func (d *Dashboard) action(do func(context.Context, []byte) (any, error)) http.HandlerFunc {
	cross := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := cross.Check(r); err != nil {
			httpreply.Refuse(w, http.StatusForbidden, "the request comes from another site")
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			httpreply.Refuse(w, http.StatusUnsupportedMediaType, "the request must be application/json")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAction))
		if err != nil {
			httpreply.Refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		value, err := do(r.Context(), body)
		if err != nil {
			httpreply.Refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		httpreply.JSON(w, http.StatusOK, value)
	}
}

// RetryRequest is the body of POST /api/v1/retry. It selects rejected and dead tasks; an empty field selects all.
type RetryRequest struct {
	Run      string   `json:"run"`
	Outcomes []string `json:"outcomes"` // rejected, dead
	Reasons  []string `json:"reasons"`
}

func (d *Dashboard) retry(ctx context.Context, body []byte) (any, error) {
	var req RetryRequest
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, fmt.Errorf("the request must be a JSON object of run, outcomes and reasons: %w", err)
	}
	args := wire.EntriesArgs{Run: req.Run, Outcomes: []outcome.Outcome{outcome.Rejected, outcome.Dead}}
	var err error
	if args.Reasons, err = reasonsOf(req.Reasons); err != nil {
		return nil, err
	}
	if len(req.Outcomes) > 0 {
		if args.Outcomes, err = outcomesOf(req.Outcomes, args.Outcomes); err != nil {
			return nil, err
		}
	}
	if len(args.Reasons) > 0 && len(req.Outcomes) == 0 {
		args.Outcomes = []outcome.Outcome{outcome.Rejected}
	}
	n, err := d.cfg.Actions.Retry(ctx, args)
	if err != nil {
		return nil, err
	}
	d.memory.forgetRetried(&args)
	d.log.Info(
		"tasks retried from the page",
		"images",
		n,
		"run",
		req.Run,
		"outcomes",
		req.Outcomes,
		"reasons",
		req.Reasons,
	)
	return map[string]int{"count": n}, nil
}

// SteerRequest is the body of POST /api/v1/steer. An empty run selects all live runs.
type SteerRequest struct {
	Run   string           `json:"run"`
	State outcome.RunState `json:"state"` // running, paused or cancelled
}

func (d *Dashboard) steer(ctx context.Context, body []byte) (any, error) {
	var req SteerRequest
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, fmt.Errorf("the request must be a JSON object of run and state: %w", err)
	}
	if req.State == "" {
		return nil, errors.New("state is missing: it is running, paused or cancelled")
	}
	if err := d.cfg.Actions.Steer(ctx, wire.Steering{Run: req.Run, State: req.State}); err != nil {
		return nil, err
	}
	d.log.Info("run state changed from the page", "run", req.Run, "state", req.State)
	return req, nil
}
