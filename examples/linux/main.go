// Linux shows what is special about a service of systemd. It counts its visitors, and
//
//   - systemd opens its socket, and starts it when somebody connects: no connection is
//     refused while it restarts, and it has no network but that;
//   - keeps the count in its state directory, which systemd makes for an account that
//     exists only while it runs;
//   - reads its greeting anew on reload, which systemd waits for;
//   - takes a secret from systemd's credentials, that no file it can read holds;
//   - is restarted by the watchdog when it hangs.
//
// README.md has the commands. It also runs in a terminal, and on any other system:
//
//	go run ./examples/linux
package main

import (
	"flag"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen at")
	flag.Parse()
	daemon.Main(newVisitors(*addr), daemon.Config{
		Name:        "visitors",
		Description: "counts its visitors",
		Args:        flag.Args(),
		Service: daemon.Service{
			StartType: daemon.StartOnSocket,
			Sockets:   []daemon.ListenSocket{{Name: socket, Network: "tcp", Address: *addr}},
			Watchdog:  10 * time.Second,
			Systemd:   daemon.Systemd{Credentials: map[string]string{token: "/etc/visitors.token"}},
		},
	})
}
