//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	peer "github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	native "github.com/go-glidepath/glidepath/internal/journal"
)

// recordsStage is the argument with which bench runs itself to measure records of the
// journal.
const recordsStage = "records-of-the-journal"

// recordSamples is what that process measures.
type recordSamples struct {
	Logged, Sent         samples // one record: by a zap logger of ours, by the peer
	Core, Bare           samples // by our core alone, and a write of its bytes
	LoggedAllocs, Allocs samples // of the logger, of the core
	SentAllocs           samples
	Hanging              samples // calls while nobody reads
}

// records measures one record of the journal: a message with four fields. The peer
// knows only one place for the journal's socket, so that it happens in a process that
// has a /run of its own.
func records() ([]row, error) {
	cmd := exec.Command("/proc/self/exe", recordsStage)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("measure records of the journal: %w", err)
	}
	var s recordSamples
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, fmt.Errorf("measure records of the journal: %w", err)
	}
	const limitHanging = time.Millisecond
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

// measureRecords is the other process.
func measureRecords() error {
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount an empty /run: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(native.DefaultSocket), 0o755); err != nil {
		return err
	}
	d, err := newDrain(native.DefaultSocket)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	core, err := native.New(native.Options{Identifier: "bench"}, zap.InfoLevel)
	if err != nil {
		return err
	}
	s, err := recordsInTurn(d, core)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

func recordsInTurn(d *drain, core *native.Core) (s recordSamples, err error) {
	fields := []zap.Field{zap.String("method", "GET"), zap.String("path", "/index.html"), zap.Int("status", 200), zap.Bool("cached", true)}
	entry := zapcore.Entry{Level: zap.InfoLevel, Message: "request served"}
	log := zap.New(core)

	if err := core.Write(entry, fields); err != nil {
		return s, err
	}
	same := make([]byte, 4096)
	n, err := syscall.Read(d.fd, same)
	if err != nil {
		return s, err
	}
	bare, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return s, err
	}
	defer func() { _ = syscall.Close(bare) }()
	if err := syscall.Connect(bare, &syscall.SockaddrUnix{Name: native.DefaultSocket}); err != nil {
		return s, err
	}

	err = d.inStep([]side{
		{&s.Logged, &s.LoggedAllocs, func() error { log.Info("request served", fields...); return nil }},
		{&s.Sent, &s.SentAllocs, func() error {
			return peer.Send("request served", peer.PriInfo, map[string]string{
				"METHOD": "GET", "PATH": "/index.html", "STATUS": "200", "CACHED": "true",
			})
		}},
		{&s.Core, &s.Allocs, func() error { return core.Write(entry, fields) }},
		{&s.Bare, nil, func() error { _, err := syscall.Write(bare, same[:n]); return err }},
	})
	if err != nil {
		return s, err
	}
	if core.Lost() != 0 {
		return s, errors.New("records were lost while there was room for them")
	}
	for range 10_000 { // and now nobody reads
		begun := time.Now()
		log.Info("request served", fields...)
		s.Hanging = append(s.Hanging, float64(time.Since(begun).Nanoseconds()))
	}
	return s, nil
}

// side is one of what is compared.
type side struct {
	took, allocs *samples
	send         func() error
}

// inStep measures the sides in turn, a batch each time: what else the machine does then
// meets all of them.
func (d *drain) inStep(sides []side) error {
	const rounds = 20_000
	buf := make([]byte, 4096)
	batch := func(s side) (elapsed time.Duration, err error) {
		begun := time.Now()
		for range d.batch {
			if err := s.send(); err != nil {
				return 0, err
			}
		}
		elapsed = time.Since(begun)
		for range d.batch {
			if _, err := syscall.Read(d.fd, buf); err != nil {
				return 0, err
			}
		}
		return elapsed, nil
	}
	for i := range rounds {
		for j := range sides {
			s := sides[(i+j)%len(sides)]
			elapsed, err := batch(s)
			if err != nil {
				return err
			}
			*s.took = append(*s.took, float64(elapsed.Nanoseconds())/float64(d.batch))
		}
	}
	for _, s := range sides {
		if s.allocs == nil {
			continue
		}
		var failed error
		n := testing.AllocsPerRun(1000, func() {
			if _, err := batch(s); err != nil {
				failed = err
			}
		})
		if failed != nil {
			return failed
		}
		*s.allocs = samples{n / float64(d.batch)}
	}
	return nil
}
