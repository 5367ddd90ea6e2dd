// Probe is a daemon whose behaviour is set by flags, for the end-to-end tests.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/go-glidepath/glidepath/daemon"
)

func main() {
	o := parse()
	if o.lingers {
		linger(string(o.notes))
		return
	}
	program, err := o.program()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	daemon.Main(program, daemon.Config{
		Name:         "probe",
		StartTimeout: o.startTimeout,
		StopTimeout:  o.stopTimeout,
		DrainDelay:   o.drainDelay,
		Host:         daemon.Host(o.host),
		ReapOrphans:  o.reapOrphans,
		Args:         flag.Args(),
		Windows:      daemon.Windows{Preshutdown: o.preshutdown, KeepDirectory: o.keepDir, KeepChildren: o.keepChildren},
	})
}
