// Package logfile logs to a file, in addition to the host's log or on a host that keeps no
// log:
//
//	daemon.Main(&server{}, daemon.Config{
//		Name:    "web",
//		LogAlso: []zapcore.Core{logfile.New(logfile.Options{Name: "web"})},
//	})
//
// To log only to a file, set Config.Logger to zap.New of the core, and set Options.Level
// and Config.LogLevel to the same level.
//
// The file is NAME.log in the service's folder for logs ([daemon.Directories]). Only its
// owner can read it. It contains one JSON object per line. It is rotated at 100 MB and, on
// request, every day; the newest 10 rotated files are kept, compressed. [Options] can
// change all of this.
//
// # logrotate
//
// To use logrotate instead, set Options.MaxSize to -1, and add a postrotate script that
// asks the service to reload (systemctl reload web). On every reload the run calls Sync,
// even if the program is not a Reloader. Sync closes the file, so the next record goes to a
// new one. Do not use copytruncate: timberjack would continue to write at its old offset.
//
// # The library
//
// Package logfile uses timberjack for rotation, the maintained successor of lumberjack.
// Lumberjack was last released in 2023. It starts a goroutine that never ends. It writes
// compressed files in place, so a crash leaves a partial file that looks complete. On
// Windows it cannot remove the files that it has compressed. Timberjack's goroutine can be
// waited for, and its compressed files appear only when they are complete. Importing this
// package makes a program 0.6 MB larger. 0.4 MB of that are for an unused compression; the
// build tag timberjack_nozstd omits it.
package logfile

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// Options configure a [Core]. Set Name or Path.
type Options struct {
	// Name is the name of the service, as in Config.Name. The file is NAME.log in the
	// service's folder for logs. The folder is made if it is missing.
	Name string

	// Path is the absolute path of the file, instead of the one that follows from Name. Its
	// folder is made if it is missing, accessible only to its owner. Processes that run at
	// the same time need different files.
	Path string

	// MaxSize is the size in megabytes at which the file is rotated. The default is 100. If
	// it is negative, the file is not rotated by size; something else has to limit it. A
	// line from Encoder that is larger than MaxSize is lost.
	MaxSize int

	// RotateEvery also rotates the file by time: 24 hours for every midnight, one hour for
	// every full hour, in local time. The first record after that time rotates the file,
	// even if the service was not running then. If it is zero, the file is not rotated by
	// time.
	RotateEvery time.Duration

	// Keep is the number of rotated files to keep. The default is 10. If it is negative,
	// all are kept.
	Keep int

	// KeepFor removes rotated files that are older, in whole days, at the next rotation. If
	// it is zero, age does not matter.
	KeepFor time.Duration

	// Plain keeps rotated files uncompressed. By default they are compressed with gzip.
	Plain bool

	// Keys selects the names in the JSON records, logkeys.Glidepath by default. With
	// other names, each line includes Name and Version to describe the service. Version
	// defaults to that of the main module.
	Keys    logkeys.Keys
	Version string

	// MaxLine limits the bytes of a JSON line, like daemon.Config.MaxLogLine: each line is
	// shorter. The default is 16 KiB. A negative value means no limit.
	MaxLine int

	// Encoder encodes the records, by default as JSON. If it is set, Keys and MaxLine have
	// no effect.
	Encoder zapcore.Encoder

	// Level selects the records to log. By default, all are logged.
	Level zapcore.LevelEnabler
}

// Core implements zapcore.Core and logs to a file. Its methods may be called from any
// goroutine. Cores made by With share the file.
type Core struct {
	zapcore.LevelEnabler
	encoder zapcore.Encoder
	w       *writer
}

// New returns a core. It does not open the file: the first record does. A program that only
// prints its version, or installs itself as another user, therefore makes no file. If
// something is wrong, including the options, Write returns the error, which zap prints to
// standard error.
func New(o Options) *Core {
	if o.Level == nil {
		o.Level = zap.LevelEnablerFunc(func(zapcore.Level) bool { return true })
	}
	if o.Encoder == nil {
		if o.Keys != "" && o.Version == "" {
			if info, ok := debug.ReadBuildInfo(); ok {
				o.Version = info.Main.Version
			}
		}
		o.Encoder = logtext.JSONEncoder(logtext.JSONOptions{Keys: o.Keys, Service: o.Name, Version: o.Version, MaxLine: o.MaxLine})
	}
	c := &Core{o.Level, o.Encoder, newWriter(o)}
	c.w.notice = func(e zapcore.Entry, fields []zapcore.Field) ([]byte, error) {
		b, err := logtext.Encode(o.Encoder, e, fields)
		if err != nil {
			return nil, err
		}
		defer b.Free()
		return append([]byte(nil), b.Bytes()...), nil
	}
	return c
}

// Level returns the lowest enabled level.
func (c *Core) Level() zapcore.Level {
	if l := zapcore.LevelOf(c.LevelEnabler); l != zapcore.InvalidLevel {
		return l
	}
	return zapcore.DebugLevel
}

// With returns a core that adds fields to each record. It encodes them immediately.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	return &Core{c.LevelEnabler, logtext.With(c.encoder, fields), c.w}
}

// Check adds the core to ce if the level of entry is enabled.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write writes one record. It waits for the disk. When records are lost, it returns an
// error for the first one, which zap prints, and counts the others. Once the file can be
// written again, a record of the event "records lost" says how many there were.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	b, err := logtext.Encode(c.encoder, entry, fields)
	if err != nil {
		return err
	}
	defer b.Free()
	if err := c.w.write(b.Bytes()); err != nil {
		return fmt.Errorf("log to a file: %w", err)
	}
	return nil
}

// Sync closes the file. The next record opens the file that has its name then. The run
// calls Sync before each reload, for logrotate, and after the program has stopped. If a
// rotated file is being compressed, Sync waits for that, for at most a second. Meanwhile
// records are still written, and the compression continues afterwards.
func (c *Core) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.Close(ctx)
}

// Close works like Sync, but waits until ctx ends. If it returns nil, no file is open and
// no goroutine runs until the next record.
func (c *Core) Close(ctx context.Context) error {
	if err := c.w.close(ctx); err != nil {
		return fmt.Errorf("close the log file: %w", err)
	}
	return nil
}

// Lost returns how many records were lost so far.
func (c *Core) Lost() uint64 {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.w.losses.Total()
}
