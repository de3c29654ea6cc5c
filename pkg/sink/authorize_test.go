package sink

import (
	"fmt"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestEachRoleMayCallItsOwn(t *testing.T) {
	for op, may := range map[string][]string{
		wire.OpStatus: {pki.Viewer, pki.Operator, pki.Ventilator}, wire.OpEntries: {pki.Viewer, pki.Operator, pki.Ventilator},
		wire.OpRuns: {pki.Viewer, pki.Operator, pki.Ventilator}, wire.OpOwners: {pki.Viewer, pki.Operator, pki.Ventilator},
		wire.OpSteer: {pki.Operator}, wire.OpRetry: {pki.Operator}, wire.OpAck: {pki.Operator},
		wire.OpSettled: {pki.Ventilator}, wire.OpSettle: {pki.Ventilator}, wire.OpRun: {pki.Ventilator},
		"not yet invented": {pki.Ventilator},
	} {
		allowed := make(map[string]bool)
		for _, role := range may {
			allowed[role] = true
		}
		for _, role := range pki.Roles() {
			err := authorize(zsock.WithPrincipal(t.Context(), zsock.Principal{Role: role, Name: "x"}), op)
			if (err == nil) != allowed[role] {
				t.Errorf("%s calls %s: %v", role, op, err)
			}
		}
		if err := authorize(t.Context(), op); err != nil {
			t.Errorf("a caller without TLS calls %s: %v", op, err)
		}
	}
}

func TestRunBelongsToTheCertificateThatReportedItFirst(t *testing.T) {
	var o runOwners
	as := func(name string) error {
		return o.claim(zsock.WithPrincipal(t.Context(), zsock.Principal{Role: pki.Ventilator, Name: name}), "run")
	}
	if err := as("v1"); err != nil {
		t.Error(err)
	}
	if err := as("v2"); err == nil {
		t.Error("another ventilator reports the run")
	}
	if err := as("v1"); err != nil {
		t.Error(err)
	}
	for i := range 2 * wire.MaxRuns {
		ctx := zsock.WithPrincipal(t.Context(), zsock.Principal{Role: pki.Ventilator, Name: "v2"})
		if err := o.claim(ctx, fmt.Sprint("r", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.byRun) > wire.MaxRuns {
		t.Errorf("%d runs are remembered", len(o.byRun))
	}
}
