package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// RegisterCertificate exports when the certificate of this process expires.
func RegisterCertificate(reg prometheus.Registerer, expires func() time.Time) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "imagefarm_tls_certificate_expiry_timestamp_seconds",
		Help: "When the TLS certificate of this process expires, in seconds since 1970.",
	}, func() float64 { return float64(expires().Unix()) }))
}
