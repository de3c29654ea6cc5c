package ledger

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Records written by earlier versions must be readable for ever, and they must be able to read ours.
func TestStoredWordsOfRunStatesDoNotChange(t *testing.T) {
	l := newLedger(t)
	for state, word := range map[outcome.RunState]string{
		outcome.Running: "active", outcome.Finished: "finished", outcome.Interrupted: "cut", outcome.Stalled: "stalled",
	} {
		want := Run{ID: word, State: state, Started: time.UnixMicro(1).UTC(), Found: 3, Done: 2}
		if err := l.PutRun(want); err != nil {
			t.Fatal(err)
		}
		got, found, err := l.LookupRun(word)
		if err != nil || !found || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, %v, not %+v", got, found, err, want)
		}
		err = l.view(func(tx *bbolt.Tx) error {
			if stored := string(tx.Bucket(bucketRuns).Get([]byte(word))); !strings.Contains(stored, `"state":"`+word+`"`) {
				t.Errorf("%s is stored as %s", state, stored)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
