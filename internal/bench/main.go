//go:build linux

// Bench compares the library with what one would take without it, and prints one
// table. See README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	runs := flag.Int("n", 100, "lives of each program; the probe of latencies runs three times as often")
	flag.Parse()
	if flag.Arg(0) == recordsStage {
		if err := measureRecords(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := bench(max(*runs, 1)); err != nil {
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
	stage, err := newStage(dir)
	if err != nil {
		return err
	}

	var table table
	for _, measure := range []func() ([]row, error){
		func() ([]row, error) { return lives(stage, bins, runs) },
		func() ([]row, error) { return sizes(bins) },
		func() ([]row, error) { return operations(bins, runs) },
		func() ([]row, error) { return latencies(stage, bins, 3*runs) },
		func() ([]row, error) { return notifications(filepath.Join(dir, "drained")) },
		records,
	} {
		rows, err := measure()
		if err != nil {
			return err
		}
		table = append(table, rows...)
	}
	fmt.Printf("%s, %d CPUs, %d runs of each side in turn; medians but where it says p99\n\n%s",
		runtime.Version(), runtime.NumCPU(), runs, table)
	return nil
}
