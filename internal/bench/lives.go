//go:build linux

package main

import "math"

// lives measures what shows in the life of a process, from its birth to its death.
func lives(s stage, bins binaries, n int) ([]row, error) {
	var ready, stop, resident, alone sides
	var barrier samples
	err := inTurn(n, func() error {
		l, err := live(s, bins.hello, true)
		ready.ours = append(ready.ours, float64(l.ready))
		stop.ours = append(stop.ours, float64(l.stop))
		resident.ours = append(resident.ours, l.resident)
		barrier = append(barrier, float64(l.stop-l.barrier))
		return err
	}, func() error {
		l, err := live(s, bins.peer, true)
		ready.peer = append(ready.peer, float64(l.ready))
		stop.peer = append(stop.peer, float64(l.stop))
		resident.peer = append(resident.peer, l.resident)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Once more without a manager: nobody to wait for, on either side.
	err = inTurn(n, func() error {
		l, err := live(s, bins.hello, false)
		alone.ours = append(alone.ours, float64(l.stop))
		return err
	}, func() error {
		l, err := live(s, bins.peer, false)
		alone.peer = append(alone.peer, float64(l.stop))
		return err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		ready.median("exec → READY=1", micros, ratio(1.05)),
		stop.median("SIGTERM → exit", micros, ratio(1.05)),
		{"— of it after the manager has read the barrier", barrier.median(), math.NaN(), micros, limit{}},
		alone.median("— without a manager", micros, limit{}),
		resident.median("resident memory when idle", mebi, ratio(1.10)),
	}, nil
}
