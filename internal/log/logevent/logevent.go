// Package logevent names the events in the life of a service, so that each sink can
// give the record of one the id by which its host finds it: the journal a MESSAGE_ID,
// the Event Log of Windows an event id. In JSON it is "event":"ready"; text for people
// leaves it out, for the message says it.
package logevent

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Event is an event in the life of a service. Its number is its event id in the Event
// Log: it never changes, nor is it used again.
type Event uint8

// The events. What happened, and why, is in the record's message and fields.
const (
	Starting     Event = 1  // the run begins
	Ready        Event = 2  // Start returned, the program serves
	Stopping     Event = 3  // the first reason to stop has come
	Stopped      Event = 4  // the run is over: how it ended, and how it went
	Failed       Event = 5  // something has failed, for which the run ends
	Reloading    Event = 6  // the program is asked to reload
	Reloaded     Event = 7  // it has
	ReloadFailed Event = 8  // it could not, and goes on as before
	Paused       Event = 9  // the program has paused
	Continued    Event = 10 // it has gone on
	GaveUp       Event = 11 // the deadline passed with something still running
	Crashed      Event = 12 // the run before this one crashed: its text
	RecordsLost  Event = 13 // records were dropped: how many
	LevelChanged Event = 14 // another level of the log, at run time
)

// Key is the key of the field that carries an event.
const Key = "event"

// Field is the field that makes a record that of e. It costs no allocation.
func (e Event) Field() zap.Field {
	return zap.Field{Key: Key, Type: zapcore.StringerType, Interface: e}
}

// In is the event that a field carries, 0 if it carries none. A field of a program's
// own with the same key is none.
func In(f zapcore.Field) Event {
	if f.Type != zapcore.StringerType {
		return 0
	}
	e, _ := f.Interface.(Event)
	return e
}

// Of is the event of a record with these fields, 0 if it is that of none.
func Of(fields []zapcore.Field) Event {
	for i := range fields {
		if e := In(fields[i]); e != 0 {
			return e
		}
	}
	return 0
}

// All returns all events in the order of their numbers.
func All() []Event {
	all := make([]Event, len(table)-1)
	for i := range all {
		all[i] = Event(i + 1)
	}
	return all
}

// String is the event's name in a log of text.
func (e Event) String() string { return e.entry().name }

// MessageID is the event's MESSAGE_ID in the journal: 32 hexadecimal digits, "" if e
// is none of the events. journalctl MESSAGE_ID=… finds its records, whatever their
// messages say. It never changes.
func (e Event) MessageID() string { return e.entry().id }

func (e Event) entry() entry {
	if int(e) < len(table) {
		return table[e]
	}
	return entry{name: "unknown"}
}

type entry struct{ name, id string }

var table = [...]entry{
	0:            {name: "none"},
	Starting:     {"starting", "fee0dc94aad84f7eb016abbe5a1a60fd"},
	Ready:        {"ready", "a7f582f02b354a2990f61ae5e2f22ec3"},
	Stopping:     {"stopping", "b001f4a4c23c41d69e586a8a52e6da16"},
	Stopped:      {"stopped", "bdf6b38fc4c54484b98dd51d0e16848f"},
	Failed:       {"failed", "c56dcbfb0ad14297aed6149e4b6e8642"},
	Reloading:    {"reloading", "28a473bbe0b04b8bb96b6b5a771e6888"},
	Reloaded:     {"reloaded", "e52c3471477944aaba13cfebef1c7452"},
	ReloadFailed: {"reload failed", "fce838e82cc04f3f9acc0aeb3cbd1f7f"},
	Paused:       {"paused", "42e535481f844967b2c27a074b94bb90"},
	Continued:    {"continued", "0b69596af88c412c9657edb431034c67"},
	GaveUp:       {"gave up", "781202b76ec847439c2dad4ec323f51c"},
	Crashed:      {"crashed", "17090f5e8fa74b189e1f3a4ad567c153"},
	RecordsLost:  {"records lost", "46605269c5ad477c859e521b1aace549"},
	LevelChanged: {"level changed", "84b278b5e53541edb1671ef4de1957f8"},
}
