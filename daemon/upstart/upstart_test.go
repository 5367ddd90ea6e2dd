package upstart_test

import (
	"context"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/daemon/upstart"
)

func ExampleManager() {
	p := daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		<-ctx.Done()
		return nil
	})
	if _, err := daemon.Manage(p, daemon.Config{
		Name:    "web",
		Service: service.Config{Managers: []service.Manager{upstart.Manager()}},
	}); err != nil {
		return
	}
	// Output:
}
