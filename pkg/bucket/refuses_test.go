package bucket

import (
	"testing"

	"github.com/minio/minio-go/v7"
)

func TestOnlyStoresThatKnowNoConditionsGetUploadsWithoutThem(t *testing.T) {
	for answer, want := range map[minio.ErrorResponse]bool{
		{StatusCode: 501, Code: "NotImplemented"}:     true,
		{StatusCode: 501}:                             true,
		{StatusCode: 400, Code: "InvalidArgument"}:    true,
		{StatusCode: 400, Code: "InvalidRequest"}:     true,
		{StatusCode: 400, Code: "RequestTimeout"}:     false,
		{StatusCode: 400, Code: "BadDigest"}:          false,
		{StatusCode: 412, Code: "PreconditionFailed"}: false,
		{StatusCode: 503, Code: "SlowDown"}:           false,
	} {
		if got := refusesConditions(answer); got != want {
			t.Errorf("%d %s: %v", answer.StatusCode, answer.Code, got)
		}
	}
}
