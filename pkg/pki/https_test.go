package pki

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

func TestHTTPSWithTheSameCertificate(t *testing.T) {
	dir, other := authority(t, "album"), authority(t, "album")
	sink := open(t, issue(t, dir, Sink, "main", time.Now()), "")
	admin, err := telemetry.NewAdmin(telemetry.AdminConfig{
		Addr: "0.0.0.0:0", TLS: sink.HTTPS(), Gatherer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := admin.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if admin.Scheme() != "https" {
		t.Error("an address that other machines reach is served by", admin.Scheme())
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- admin.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	at := "127.0.0.1:" + addr[strings.LastIndex(addr, ":")+1:]
	good := open(t, issue(t, dir, Viewer, "page", time.Now()), "").TLS()
	if err := telemetry.Health(ctx, "https://"+at+"/readyz", good); err != nil {
		t.Error(err)
	}
	wrong := open(t, issue(t, other, Viewer, "page", time.Now()), "").TLS()
	if err := telemetry.Health(ctx, "https://"+at+"/readyz", wrong); err == nil {
		t.Error("a member of another farm trusts the sink")
	}
	response, err := http.Get("http://" + at + "/metrics")
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		t.Error("metrics are served without TLS")
	}
}
