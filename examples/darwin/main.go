// Darwin shows what is special about a service of macOS. It takes letters out of a
// folder and delivers them, one after the other, and
//
//   - has the time that it takes to stop: launchd kills after 5 seconds whoever has not
//     asked for more (ExitTimeOut), and a letter takes longer;
//   - is started again when it has failed, after a pause (ThrottleInterval), and left
//     alone when it has ended by itself;
//   - logs to a file, as launchd keeps no log;
//   - is a daemon of the machine, or an agent of the user who installs it.
//
// README.md has the commands. It also runs in a terminal, and on any other system:
//
//	go run ./examples/darwin
package main

import (
	"flag"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

func main() {
	pace := flag.Duration("pace", 8*time.Second, "how long a letter takes")
	flag.Parse()
	daemon.Main(&courier{pace: *pace}, daemon.Config{
		Name:        "courier",
		DisplayName: "Glidepath courier",
		Description: "delivers letters",
		StopTimeout: *pace + 2*time.Second, // the letter that is on its way arrives
		Args:        flag.Args(),
		Service: daemon.Service{
			Recovery: daemon.Recovery{Delays: []time.Duration{10 * time.Second}},
		},
	})
}
