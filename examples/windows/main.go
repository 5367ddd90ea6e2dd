// Windows shows what is special about a service of Windows. It counts, once a second,
// and
//
//   - pauses and continues: counter pause, sc pause counter;
//   - hears of sessions, of the power and of the clock, and does not count while the
//     system sleeps;
//   - has a control of its own, which logs the count: sc control counter 200;
//   - hears of a shutdown of the system before other services are stopped, so that it
//     can keep the count in a file;
//   - takes an argument of the start as the number to begin with: sc start counter 100.
//
// README.md has the commands. It also runs in a console, and on any other system:
//
//	go run ./examples/windows
package main

import "github.com/go-glidepath/glidepath/daemon"

func main() {
	daemon.Main(&counter{}, daemon.Config{
		Name:        "counter",
		DisplayName: "Glidepath counter",
		Description: "counts the seconds",
		Windows:     daemon.Windows{Preshutdown: true},
	})
}
