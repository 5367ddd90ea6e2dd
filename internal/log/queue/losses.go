package queue

import (
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Losses counts the records that a log has lost, and how many of them RecordsLost records
// have reported. The zero value is ready to use. The caller has to lock it.
type Losses struct {
	total     uint64
	announced uint64 // the number of lost records in the reports that were made
	told      uint64 // the number of lost records in the reports that were taken
}

// Add counts n more records.
func (l *Losses) Add(n uint64) { l.total += n }

// Total returns the number of records lost so far.
func (l *Losses) Total() uint64 { return l.total }

// Untold returns how many lost records no report has reached the reader about.
func (l *Losses) Untold() uint64 { return l.total - l.told }

// Due reports whether there are losses without a report.
func (l *Losses) Due() bool { return l.total > l.announced }

// Announce makes a report about the losses since the last report. When the reader has taken
// it, call Told with upTo. If it is dropped, call Withdraw.
func (l *Losses) Announce(reader string) (e zapcore.Entry, fields []zapcore.Field, upTo uint64) {
	n := l.total - l.announced
	l.announced = l.total
	e = zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: Message(reader, n)}
	return e, []zapcore.Field{
		logevent.RecordsLost.Field(), zap.Uint64("lost", n), zap.Uint64("lost_in_all", l.total),
	}, l.total
}

// Told records that the report up to that number was taken.
func (l *Losses) Told(upTo uint64) { l.told = max(l.told, upTo) }

// Withdraw records that no report after the one up to that number will be taken.
func (l *Losses) Withdraw(upTo uint64) { l.announced = max(l.told, upTo) }

// Message says that n records were lost because the reader did not take them in time.
func Message(reader string, n uint64) string {
	if n == 1 {
		return "1 log record was lost: " + reader + " did not take it in time"
	}
	return strconv.FormatUint(n, 10) + " log records were lost: " + reader + " did not take them in time"
}
