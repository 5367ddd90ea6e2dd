//go:build linux

package main

import (
	"errors"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// discarded measures a record as JSON to a file that keeps nothing: by the core for
// standard output and by zap's own core and encoder.
func discarded() (rows []row, err error) {
	const rounds, batch = 5000, 64
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, null.Close()) }()
	log := func(core zapcore.Core) func() error {
		l := zap.New(core)
		return func() error { l.Info("request served", fields...); return nil }
	}
	zaps := func(w io.Writer) zapcore.Core {
		encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{
			TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", CallerKey: "caller", StacktraceKey: "stack",
			EncodeLevel:    zapcore.LowercaseLevelEncoder,
			EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
			EncodeDuration: zapcore.StringDurationEncoder,
			EncodeCaller:   zapcore.ShortCallerEncoder,
		})
		return zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), zap.InfoLevel)
	}
	var took, allocs sides
	err = inStep(rounds, batch, func() error { return nil }, []side{
		{&took.ours, &allocs.ours, log(logtext.New(logtext.Options{File: null}, zap.InfoLevel))},
		{&took.peer, &allocs.peer, log(zaps(null))},
	})
	if err != nil {
		return nil, err
	}
	return []row{
		took.median("JSON, a message and 4 fields; peer: zap's core", nanos, ratio(1.1)),
		allocs.median("JSON, allocations", count, ratio(1)),
	}, nil
}
