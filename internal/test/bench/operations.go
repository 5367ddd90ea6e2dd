//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// operations measures commands of an operator, as whole processes, on the systemd of
// the test bed. hello is installed and runs; both sides ask for the same service.
func operations(machine *testbed.Machine, bins binaries, n int) ([]row, error) {
	const (
		limitTook = 30 * time.Millisecond
		hello     = "/usr/local/bin/hello"
	)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	run := func(name string, args ...string) (string, error) {
		out, err := machine.Run(ctx, name, args...)
		if err == nil && out.Code != 0 {
			err = fmt.Errorf("%s %q: code %d: %s%s", name, args, out.Code, out.Stdout, out.Stderr)
		}
		return out.Stdout, err
	}
	// A service does not see what is in /tmp.
	if _, err := run("cp", bins.hello, hello); err != nil {
		return nil, err
	}
	if _, err := run(hello, "install", "--now"); err != nil {
		return nil, err
	}
	out, err := run(bins.turns, append([]string{strconv.Itoa(n)}, strings.Fields(strings.Join([]string{
		hello + " status",
		bins.peerStatus,
		"systemctl show hello.service",
		hello + " install --dry-run",
	}, " -- "))...)...)
	if err != nil {
		return nil, err
	}
	took, err := columns(out, 4)
	if err != nil {
		return nil, err
	}
	return []row{
		{"status", took[0].median(), took[1].median(), millis, atMost(float64(limitTook))},
		{"— systemctl show, which it calls", took[2].median(), math.NaN(), millis, limit{}},
		{"install --dry-run", took[3].median(), math.NaN(), millis, atMost(float64(limitTook))},
	}, nil
}

// columns reads what turns has printed.
func columns(text string, n int) ([]samples, error) {
	columns := make([]samples, n)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != n {
			return nil, fmt.Errorf("turns says %q: want %d numbers", line, n)
		}
		for i, f := range fields {
			ns, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return nil, fmt.Errorf("turns: %w", err)
			}
			columns[i] = append(columns[i], ns)
		}
	}
	if len(columns[0]) == 0 {
		return nil, errors.New("turns says nothing")
	}
	return columns, nil
}
