// Package telemetry makes the loggers, the metric registry, and the HTTP server with health, readiness and metrics that
// every role has.
//
// The metrics themselves belong to the roles, which register them here.
//
//	logger, err := telemetry.NewLogger(telemetry.LogConfig{Format: "text", Level: "info", Writer: os.Stderr})
//	registry := telemetry.NewRegistry()
//	admin, err := telemetry.NewAdmin(telemetry.AdminConfig{
//		Addr: "127.0.0.1:8081", Gatherer: registry, Ready: role.Ready, Logger: logger,
//	})
//	addr, err := admin.Listen()
//	err = admin.Run(ctx)
package telemetry
