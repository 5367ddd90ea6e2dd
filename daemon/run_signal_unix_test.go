//go:build unix

package daemon_test

import (
	"context"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

func TestRun_RealSignalStopsItAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	for range 50 {
		started := make(chan struct{})
		result := make(chan error, 1)
		go func() {
			result <- daemon.Run(context.Background(), program{start: func(context.Context) error {
				close(started) // a signal during Start does not kill the process either
				return nil
			}}, daemon.Config{Name: "real", Logger: zap.NewNop()})
		}()
		<-started
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		expect(t, "result", <-result, nil)
	}
}
