// Package logfile logs to a file, for who wants one beside what the host keeps, or on a
// host that keeps nothing:
//
//	daemon.Main(&server{}, daemon.Config{
//		Name:    "web",
//		LogAlso: []zapcore.Core{logfile.New(logfile.Options{Name: "web"})},
//	})
//
// For a file alone, Config.Logger is zap.New of the core, and Options.Level and
// Config.LogLevel are the same level.
//
// The file is NAME.log in the folder for the logs of the service ([daemon.Directories]),
// for its owner only, one JSON object a line. At 100 MB it is rotated, if asked for each
// day too; 10 rotated files are kept, compressed. All of that can be had otherwise: see
// [Options].
//
// # logrotate
//
// Set Options.MaxSize to -1 and let logrotate do it, with a postrotate that asks the
// service to reload (systemctl reload web): the run calls Sync on every reload, also of a
// program that is no Reloader, and Sync closes the file, so that the next record goes to a new
// one. Not copytruncate: timberjack goes on writing at the place where it was.
//
// # The library
//
// Rotation is done by timberjack, the maintained descendant of lumberjack. Lumberjack, whose
// last release is of 2023, starts a goroutine that never ends, writes compressed files in
// place, where a crash leaves half of one that passes for whole, and cannot remove on
// Windows what it has compressed. Timberjack's goroutine is waited for, its compressed
// files appear when they are whole. A program that imports this package, and no other,
// has 0.6 MB more, of which 0.4 MB are for a compression that is not used; the build tag
// timberjack_nozstd leaves that out.
package logfile

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// Options of a [Core]. Either Name or Path has to be there.
type Options struct {
	// Name is the name of the service, Config.Name: the file is NAME.log in the folder
	// for its logs, which is made.
	Name string

	// Path is another file, absolute. Its folder is made, for its owner only, if it is
	// missing. Processes that run at the same time need files of their own.
	Path string

	// MaxSize is the size in megabytes at which the file is rotated, 100 if zero; below
	// zero it is not, and somebody else sees to it. A line of an Encoder that is larger is lost.
	MaxSize int

	// RotateEvery rotates it by time too: at midnight for 24 hours, on the hour for one,
	// local time, with the first record after that, also if the service did not run then.
	// Not if zero.
	RotateEvery time.Duration

	// Keep is how many rotated files are kept, 10 if zero, all if below zero.
	Keep int

	// KeepFor removes rotated files that are older, by whole days, at the next rotation.
	// Not if zero.
	KeepFor time.Duration

	// Plain leaves rotated files as they are, in place of compressing them (gzip).
	Plain bool

	// Keys are the names of what is in a line of JSON, daemon.KeysGlidepath if empty. With
	// others each line has Name and Version as those of the service; Version is that of
	// the main module if it is empty.
	Keys    logtext.Keys
	Version string

	// MaxLine is the number of bytes that a line of JSON is shorter than, as
	// daemon.Config.MaxLogLine: 16 KiB if zero, no bound if negative.
	MaxLine int

	// Encoder makes the lines, JSON if nil. With another one Keys and MaxLine do nothing.
	Encoder zapcore.Encoder

	// Level is what is logged; everything that comes if nil.
	Level zapcore.LevelEnabler
}

// Core is a zapcore.Core that logs to a file. Its methods may be called from any
// goroutine. Cores made by With share the file.
type Core struct {
	zapcore.LevelEnabler
	encoder zapcore.Encoder
	w       *writer
}

// New returns a core. It touches nothing: the file is opened with the first record, so
// that a program that only prints its version, or installs itself as another user, does
// not make it. What is wrong, with the options too, is the error of Write, which zap
// writes to standard error.
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

// Level is the lowest level that is logged.
func (c *Core) Level() zapcore.Level {
	if l := zapcore.LevelOf(c.LevelEnabler); l != zapcore.InvalidLevel {
		return l
	}
	return zapcore.DebugLevel
}

// With returns a core that adds fields to each record. They are encoded here and now.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	return &Core{c.LevelEnabler, logtext.With(c.encoder, fields), c.w}
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write writes one record. It waits for the disk, as long as that takes. The error is
// that of the first record that is lost, for zap to tell; those that follow are counted,
// and a record of the event "records lost" says how many there were when the file can be
// written again.
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

// Sync closes the file; the next record opens what then has its name. The run calls it
// before each reload, for logrotate, and when the program has stopped. Where a rotated file is just
// being compressed it waits for that, a second at most: records go on being written
// meanwhile, and the rest is done by itself.
func (c *Core) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.Close(ctx)
}

// Close is Sync with another bound. Nothing is open and no goroutine runs after it, if it
// returns nil, until the next record comes.
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
