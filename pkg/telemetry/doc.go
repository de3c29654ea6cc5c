// Package telemetry is what every role shows of itself: log lines for people or machines, a registry of metrics, and
// a small HTTP server with health, readiness and metrics.
//
// The metrics themselves live with the roles that count them; here is only the registry they are put into.
//
//	logger, err := telemetry.NewLogger(telemetry.LogConfig{Format: "text", Level: "info", Writer: os.Stderr})
//	registry := telemetry.NewRegistry()
//	admin, err := telemetry.NewAdmin(telemetry.AdminConfig{
//		Addr: "127.0.0.1:8081", Gatherer: registry, Ready: role.Ready, Logger: logger,
//	})
//	addr, err := admin.Listen()
//	err = admin.Run(ctx)
package telemetry
