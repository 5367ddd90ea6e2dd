//go:build linux

package main

import (
	"math"
	"slices"
	"time"
)

// lives measures what shows in the life of a process, from its birth to its death.
func lives(s stage, bins binaries, n int) ([]row, error) {
	var ready, resident sides
	stop := map[host]*sides{alone: {}, managed: {}, child: {}}
	for _, where := range []host{managed, child, alone} {
		side := func(program string, ready, stop, resident *samples) func() error {
			return func() error {
				l, err := live(s, program, where, reads)
				if where == managed {
					*ready = append(*ready, float64(l.ready))
					*resident = append(*resident, l.resident)
				}
				*stop = append(*stop, float64(l.stop))
				return err
			}
		}
		err := inTurn(n,
			side(bins.hello, &ready.ours, &stop[where].ours, &resident.ours),
			side(bins.peer, &ready.peer, &stop[where].peer, &resident.peer),
		)
		if err != nil {
			return nil, err
		}
	}
	return []row{
		ready.median("exec → READY=1", micros, ratio(1.05)),
		stop[child].median("SIGTERM → exit, started by systemd", micros, ratio(1.05)),
		stop[managed].median("— started by somebody else: with a barrier", micros, limit{}),
		stop[alone].median("— without a manager", micros, limit{}),
		resident.median("resident memory when idle", mebi, ratio(1.10)),
	}, nil
}

// hang measures how much longer it takes to stop where journald does not read what the
// program has logged.
func hang(s stage, bins binaries, n int) ([]row, error) {
	const limitMore = 600 * time.Millisecond // half a second without a reader, and what the end takes
	stop := map[mood]*samples{reads: {}, hangs: {}, stuck: {}}
	for range n {
		for _, mood := range []mood{reads, hangs, stuck} {
			l, err := live(s, bins.hello, child, mood)
			if err != nil {
				return nil, err
			}
			*stop[mood] = append(*stop[mood], float64(l.stop))
		}
	}
	least := stop[reads].median()
	more := func(measure string, mood mood) row {
		return row{measure, slices.Max(*stop[mood]) - least, math.NaN(), millis, atMost(float64(limitMore))}
	}
	return []row{
		{"SIGTERM → exit while journald hangs; peer: while it reads", stop[hangs].median(), least, millis, limit{}},
		more("— more than while it reads, at most", hangs),
		more("— with its queue full, more, at most", stuck),
	}, nil
}
