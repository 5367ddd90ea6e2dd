package queue

import (
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Losses counts the records that a log has lost, and remembers which of them a record of
// the event RecordsLost has reported. The zero value has lost nothing. It has no lock of
// its own.
type Losses struct {
	total     uint64
	announced uint64 // of those, how many are in a record that was made
	told      uint64 // of those, how many are in a record that was taken
}

// Add counts n more records.
func (l *Losses) Add(n uint64) { l.total += n }

// Total returns how many records were lost so far.
func (l *Losses) Total() uint64 { return l.total }

// Untold returns how many of them no record has reported.
func (l *Losses) Untold() uint64 { return l.total - l.told }

// Due reports whether there are losses that no record is about.
func (l *Losses) Due() bool { return l.total > l.announced }

// Announce makes the record about the losses since the last one. When it has been taken,
// call Told with upTo; if it is thrown away, call Withdraw.
func (l *Losses) Announce(reader string) (e zapcore.Entry, fields []zapcore.Field, upTo uint64) {
	n := l.total - l.announced
	l.announced = l.total
	e = zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: Message(reader, n)}
	return e, []zapcore.Field{
		logevent.RecordsLost.Field(), zap.Uint64("lost", n), zap.Uint64("lost_in_all", l.total),
	}, l.total
}

// Told notes that the record up to that number has been taken.
func (l *Losses) Told(upTo uint64) { l.told = max(l.told, upTo) }

// Withdraw notes that of the records that were made, none after the one up to that number
// will be taken.
func (l *Losses) Withdraw(upTo uint64) { l.announced = max(l.told, upTo) }

// Message says that n records were lost because the reader did not take them.
func Message(reader string, n uint64) string {
	if n == 1 {
		return "1 log record was lost: " + reader + " did not take it in time"
	}
	return strconv.FormatUint(n, 10) + " log records were lost: " + reader + " did not take them in time"
}
