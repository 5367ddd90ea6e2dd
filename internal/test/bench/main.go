//go:build linux

// Bench compares the library with what one would take without it, and prints one
// table. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func main() {
	runs := flag.Int("n", 100, "lives of each program; the probe of latencies runs three times as often")
	flag.Parse()
	n := max(*runs, 1)
	var err error
	switch flag.Arg(0) {
	case "":
		err = bench(n)
	case stageName:
		err = onStage(flag.Arg(1), n)
	case journaldStage:
		err = measureJournald()
	default:
		err = fmt.Errorf("%q: want no argument", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(runs int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bins, err := buildAll(dir)
	if err != nil {
		return err
	}
	table, err := openStage(bins, runs)
	if err != nil {
		return err
	}
	rows, err := onSystemd(bins, runs)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d CPUs, %d runs of each side in turn; medians but where it says p99\n\n%s",
		runtime.Version(), runtime.NumCPU(), runs, append(table, rows...))
	return nil
}

// onSystemd measures what needs the systemd of the test bed.
func onSystemd(bins binaries, runs int) (rows []row, err error) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "bench: status, install --dry-run and a real journald are left out: the test bed has to be booted as root")
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	machine, err := testbed.Boot(ctx, filepath.Dir(bins.hello))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	if rows, err = journald(machine, bins); err != nil {
		return nil, err
	}
	more, err := operations(machine, bins, runs)
	return append(rows, more...), err
}
