// Darwin shows what is special about a service of macOS. It takes letters out of a folder
// and delivers them, one after the other:
//
//   - it has as much time to stop as a letter takes: launchd kills after 5 seconds, unless a
//     service asks for more (ExitTimeOut);
//   - it is started again after a failure, after a pause (ThrottleInterval), but not when it
//     has finished;
//   - it logs to a file, because launchd keeps no log;
//   - it is a daemon of the machine, or an agent of the user who installs it.
//
// README.md has the commands. The program also runs in a terminal, and on any other system:
//
//	go run ./examples/darwin
package main

import (
	"flag"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
)

func main() {
	pace := flag.Duration("pace", 8*time.Second, "how long a letter takes")
	flag.Parse()
	daemon.Main(&courier{pace: *pace}, daemon.Config{
		Name:        "courier",
		DisplayName: "Glidepath courier",
		Description: "delivers letters",
		StopTimeout: *pace + 2*time.Second, // enough for the letter that is on its way
		Args:        flag.Args(),
		Service: service.Config{
			Recovery: service.Recovery{Delays: []time.Duration{10 * time.Second}},
		},
	})
}
