package servicelog_test

import (
	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon/servicelog"
)

// logger is the interface service.Logger of kardianos/service, which the packages of the
// program use.
type logger interface {
	Error(v ...any) error
	Warning(v ...any) error
	Info(v ...any) error
	Errorf(format string, a ...any) error
	Warningf(format string, a ...any) error
	Infof(format string, a ...any) error
}

// serve logs as before.
func serve(log logger) {
	_ = log.Infof("serving at %s", ":8080")
	_ = log.Warning("the certificate ends soon")
}

func Example() {
	log := zap.NewExample() // in Start, and functions called from it, use daemon.Logger(ctx)

	serve(servicelog.New(log.With(zap.String("door", "front"))))
	// Output:
	// {"level":"info","msg":"serving at :8080","door":"front"}
	// {"level":"warn","msg":"the certificate ends soon","door":"front"}
}
