//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "github.com/go-glidepath/glidepath"

// binaries are paths of what was built.
type binaries struct {
	hello, peer               string
	helloWindows, peerWindows string
	latency                   string
	peerStatus, turns         string
	bench                     string
}

func binariesIn(dir string) binaries {
	return binaries{
		hello:        filepath.Join(dir, "hello"),
		peer:         filepath.Join(dir, "peer"),
		helloWindows: filepath.Join(dir, "hello.exe"),
		peerWindows:  filepath.Join(dir, "peer.exe"),
		latency:      filepath.Join(dir, "latency"),
		peerStatus:   filepath.Join(dir, "peerstatus"),
		turns:        filepath.Join(dir, "turns"),
		bench:        filepath.Join(dir, "bench"),
	}
}

// buildAll builds both sides in this module, so that they get the same version of
// zap and of whatever else they share.
func buildAll(dir string) (binaries, error) {
	bins := binariesIn(dir)
	for _, b := range []struct{ out, pkg, goos string }{
		{bins.hello, module + "/examples/hello", "linux"},
		{bins.peer, module + "/internal/test/bench/peer", "linux"},
		{bins.helloWindows, module + "/examples/hello", "windows"},
		{bins.peerWindows, module + "/internal/test/bench/peer", "windows"},
		{bins.latency, module + "/internal/test/bench/latency", "linux"},
		{bins.peerStatus, module + "/internal/test/bench/peerstatus", "linux"},
		{bins.turns, module + "/internal/test/bench/turns", "linux"},
		{bins.bench, module + "/internal/test/bench", "linux"},
	} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", b.out, b.pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+b.goos, "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			return bins, fmt.Errorf("build %s: %w\n%s", b.pkg, err, out)
		}
	}
	return bins, nil
}

func sizes(bins binaries) ([]row, error) {
	const limit = 1.25
	var rows []row
	for _, b := range []struct{ os, ours, peer string }{
		{"linux", bins.hello, bins.peer},
		{"windows", bins.helloWindows, bins.peerWindows},
	} {
		ours, err := os.Stat(b.ours)
		if err != nil {
			return nil, err
		}
		peer, err := os.Stat(b.peer)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{"binary, " + b.os + "/amd64", float64(ours.Size()), float64(peer.Size()), mebi, ratio(limit)})
	}
	return rows, nil
}
