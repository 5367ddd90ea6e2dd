// Windows shows what is special about a service of Windows. It counts seconds:
//
//   - it pauses and continues: counter pause, sc pause counter;
//   - it is told about sessions, power and the clock, and does not count while the system
//     sleeps;
//   - it has a control of its own, which logs the count: sc control counter 200;
//   - it is told about a shutdown of the system before other services are stopped, so that
//     it has time to save the count;
//   - it begins with the argument of its start: sc start counter 100.
//
// README.md has the commands. The program also runs in a console, and on any other system:
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
