package queue

import (
	"context"

	"go.uber.org/zap/zapcore"
)

// Sink implements the methods of a core that all sinks share. A core embeds it, and adds
// With, Check and Write. Cores made by With share the queue, and with it the connection,
// the backlog and the count of lost records.
//
// Write returns no error for a record that the reader did not take, because zap would print
// it to standard error. [Sink.Lost] counts such records.
type Sink struct {
	zapcore.LevelEnabler
	queue *Queue
}

// NewSink returns a sink that logs to q at the levels that enabler enables.
func NewSink(enabler zapcore.LevelEnabler, q *Queue) Sink {
	return Sink{LevelEnabler: enabler, queue: q}
}

// Level returns the lowest enabled level.
func (s Sink) Level() zapcore.Level { return zapcore.LevelOf(s.LevelEnabler) }

// Sync waits until everything logged so far is taken: see [Queue.Sync].
func (s Sink) Sync() error { return s.queue.Sync() }

// Lost returns how many records were lost so far.
func (s Sink) Lost() uint64 { return s.queue.Lost() }

// Untold returns how many of the lost records no record has reported yet.
func (s Sink) Untold() uint64 { return s.queue.Untold() }

// Drain waits until everything logged so far is taken: see [Queue.Drain].
func (s Sink) Drain(ctx context.Context) error { return s.queue.Drain(ctx) }

// Close sends the waiting records and ends the core, together with those made by With: see
// [Queue.Close].
func (s Sink) Close(ctx context.Context) error { return s.queue.Close(ctx) }
