//go:build linux

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// latencies measures from the sending of a signal to Stop inside one process, once
// in each: only the first signal of a process is the one that counts. Standard
// error is the journal.
func latencies(s stage, bins binaries, n int) ([]row, error) {
	const limitP99 = 100 * time.Microsecond
	var rows []row
	for _, log := range []struct{ mode, name string }{
		{"discard", "log discarded"},
		{"default", "default log"},
	} {
		var took sides
		err := inTurn(n,
			func() error { return latency(s, bins.latency, log.mode, &took.ours) },
			func() error { return latency(s, bins.latency, "peer", &took.peer) },
		)
		if err != nil {
			return nil, err
		}
		measure := "signal → Stop, " + log.name
		rows = append(rows,
			took.median(measure, micros, limit{}),
			row{measure + ", p99", took.ours.quantile(0.99), took.peer.quantile(0.99), micros, atMost(float64(limitP99))},
		)
	}
	return rows, nil
}

func latency(s stage, bin, mode string, to *samples) (err error) {
	m, err := newManager(s.socket())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	journal, err := newJournal(reads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	cmd := exec.Command(bin, mode)
	cmd.Env = append(s.managed(), journal.env())
	cmd.Stderr = journal.theirs
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("latency %s: %w", mode, err)
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		return fmt.Errorf("latency %s: %w", mode, err)
	}
	*to = append(*to, ns)
	return nil
}
