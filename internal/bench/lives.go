//go:build linux

package main

// lives measures what shows in the life of a process, from its birth to its death.
func lives(s stage, bins binaries, n int) ([]row, error) {
	var ready, resident sides
	stop := map[host]*sides{alone: {}, managed: {}, child: {}}
	for _, where := range []host{managed, child, alone} {
		side := func(program string, ready, stop, resident *samples) func() error {
			return func() error {
				l, err := live(s, program, where)
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
