//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	peer "github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	native "github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// recordSamples is what that process measures.
type recordSamples struct {
	Logged, Sent         samples // one record: by a zap logger of ours, by the peer
	Core, Bare           samples // by our core alone, and a write of its bytes
	LoggedAllocs, Allocs samples // of the logger, of the core
	SentAllocs           samples
	Hanging              samples // calls while nobody reads
}

// records measures one record of the journal: a message with four fields.
func records() ([]row, error) {
	const limitHanging = time.Millisecond
	d, err := newDrain(native.DefaultSocket)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.close() }()
	var s recordSamples
	core, err := s.inTurn(20_000, d.batch, func(*native.Core) error { return d.empty(d.batch) })
	if err != nil {
		return nil, err
	}
	log := zap.New(core)
	for range 100_000 { // and now nobody reads
		begun := time.Now()
		log.Info("request served", fields...)
		s.Hanging = append(s.Hanging, float64(time.Since(begun).Nanoseconds()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = core.Close(ctx) // it says what was lost
	none := samples{math.NaN()}
	return []row{
		sides{s.Logged, s.Sent}.median("journal, a message and 4 fields", nanos, ratio(0.5)),
		sides{s.LoggedAllocs, s.SentAllocs}.median("journal, allocations", count, atMost(0)),
		sides{s.Core, s.Bare}.median("journal, the core; peer: a bare write", nanos, ratio(1.3)),
		sides{s.Allocs, none}.median("journal, allocations of the core", count, atMost(0)),
		{"a log call while journald hangs", s.Hanging.median(), math.NaN(), nanos, limit{}},
		{"a log call while journald hangs, p99", s.Hanging.quantile(0.99), math.NaN(), nanos, atMost(float64(limitHanging))},
	}, nil
}

// journaldStage is the argument with which bench runs itself where there is a journald.
const journaldStage = "records-of-journald"

// journald measures the same with the journald of the test bed, which reads beside those
// who write: on few cores it takes its turns while the clock runs.
func journald(machine *testbed.Machine, bins binaries) ([]row, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := machine.Run(ctx, "systemd-run", "--quiet", "--wait", "--collect", "--pipe", "--property=LogRateLimitIntervalSec=0", bins.bench, journaldStage)
	if err == nil && out.Code != 0 {
		err = fmt.Errorf("code %d: %s", out.Code, out.Stderr)
	}
	var s recordSamples
	if err == nil {
		err = json.Unmarshal([]byte(out.Stdout), &s)
	}
	if err != nil {
		return nil, fmt.Errorf("measure records of journald: %w", err)
	}
	return []row{
		sides{s.Logged, s.Sent}.median("journal, the same with a real journald", nanos, limit{}),
		sides{s.Core, s.Bare}.median("— the core; peer: a bare write", nanos, limit{}),
	}, nil
}

// measureJournald is the process there.
func measureJournald() error {
	const batch = 5 // they find room whatever the length of its queue was when it was made
	var s recordSamples
	_, err := s.inTurn(3000, batch, func(core *native.Core) error {
		// journald takes what comes in order, whoever has sent it: when it has this one it
		// has all of them.
		if err := core.Write(entry, nil); err != nil {
			return err
		}
		for core.Sync() != nil {
		}
		return nil
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

var (
	fields = []zap.Field{zap.String("method", "GET"), zap.String("path", "/index.html"), zap.Int("status", 200), zap.Bool("cached", true)}
	entry  = zapcore.Entry{Level: zap.InfoLevel, Message: "request served"}
)

// inTurn measures rounds of batches of what is compared. It has each emptied out of the
// queue afterwards. The core that it returns is still open.
func (s *recordSamples) inTurn(rounds, batch int, empty func(*native.Core) error) (core *native.Core, err error) {
	if core, err = native.New(native.Options{Identifier: "bench"}, zap.InfoLevel); err != nil {
		return nil, err
	}
	log := zap.New(core)
	same, err := oneRecord()
	if err != nil {
		return nil, err
	}
	bare, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = syscall.Close(bare) }()
	if err := syscall.Connect(bare, &syscall.SockaddrUnix{Name: native.DefaultSocket}); err != nil {
		return nil, err
	}
	err = inStep(rounds, batch, func() error { return empty(core) }, []side{
		{&s.Logged, &s.LoggedAllocs, func() error { log.Info("request served", fields...); return nil }},
		{&s.Sent, &s.SentAllocs, func() error {
			return peer.Send("request served", peer.PriInfo, map[string]string{
				"METHOD": "GET", "PATH": "/index.html", "STATUS": "200", "CACHED": "true",
			})
		}},
		{&s.Core, &s.Allocs, func() error { return core.Write(entry, fields) }},
		{&s.Bare, nil, func() error { _, err := syscall.Write(bare, same); return err }},
	})
	if err == nil && core.Lost() != 0 {
		err = errors.New("records were lost while there was room for them")
	}
	return core, err
}

// oneRecord is the bytes of the record.
func oneRecord() ([]byte, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := newDrain(filepath.Join(dir, "socket"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.close() }()
	core, err := native.New(native.Options{Identifier: "bench", Socket: filepath.Join(dir, "socket")}, zap.InfoLevel)
	if err != nil {
		return nil, err
	}
	if err := core.Write(entry, fields); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	n, err := syscall.Read(d.fd, buf)
	if err != nil {
		return nil, err
	}
	return buf[:n], core.Close(context.Background())
}

// side is one of what is compared.
type side struct {
	took, allocs *samples
	send         func() error
}

// inStep measures the sides in turn, a batch each time: what else the machine does then
// meets all of them.
func inStep(rounds, n int, empty func() error, sides []side) error {
	batch := func(s side) (elapsed time.Duration, err error) {
		begun := time.Now()
		for range n {
			if err := s.send(); err != nil {
				return 0, err
			}
		}
		elapsed = time.Since(begun)
		return elapsed, empty()
	}
	for i := range rounds {
		for j := range sides {
			s := sides[(i+j)%len(sides)]
			elapsed, err := batch(s)
			if err != nil {
				return err
			}
			*s.took = append(*s.took, float64(elapsed.Nanoseconds())/float64(n))
		}
	}
	for _, s := range sides {
		if s.allocs == nil {
			continue
		}
		var failed error
		all := testing.AllocsPerRun(1000, func() {
			if _, err := batch(s); err != nil {
				failed = err
			}
		})
		if failed != nil {
			return failed
		}
		*s.allocs = samples{all / float64(n)}
	}
	return nil
}
