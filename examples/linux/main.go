// Linux shows what is special about a service of systemd. It counts its visitors:
//
//   - systemd opens its socket, and starts it when somebody connects: no connection is
//     refused while it restarts, and it has no other network;
//   - it keeps the count in its state directory, which systemd makes for an account that
//     exists only while the service runs;
//   - it reads its greeting again on reload, and systemd waits for that;
//   - it gets a secret as a credential of systemd, from a file that it cannot read itself;
//   - the watchdog restarts it when it hangs.
//
// README.md has the commands. The program also runs in a terminal, and on any other system:
//
//	go run ./examples/linux
package main

import (
	"flag"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen on")
	flag.Parse()
	daemon.Main(newVisitors(*addr), daemon.Config{
		Name:        "visitors",
		Description: "counts its visitors",
		Args:        flag.Args(),
		Service: service.Config{
			StartType: service.OnSocket,
			Sockets:   []service.Socket{{Name: socket, Network: "tcp", Address: *addr}},
			Watchdog:  10 * time.Second,
			Systemd:   service.Systemd{Credentials: map[string]string{token: "/etc/visitors.token"}},
		},
	})
}
