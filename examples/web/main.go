// Web is an HTTP server that loses no request when it stops: requests in flight are
// answered, idle connections are closed, and new connections are served until the listener
// closes.
//
//	go run ./examples/web
//	curl http://127.0.0.1:8080/             # answers at once
//	curl http://127.0.0.1:8080/slow?for=5s  # press Ctrl-C meanwhile: it still answers
package main

import (
	"flag"

	"github.com/go-glidepath/glidepath/daemon"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	daemon.Main(newServer(*addr), daemon.Config{
		Name:        "web",
		Description: "an HTTP server that loses no request when it stops",
		Args:        flag.Args(),
	})
}
