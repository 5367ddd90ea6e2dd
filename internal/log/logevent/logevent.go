// Package logevent defines the events in the life of a service. Each sink gives the record
// of an event the ID by which its host finds it: a MESSAGE_ID in the journal, an event ID
// in the Windows Event Log. JSON has "event":"ready". Text for people omits the event,
// because the message says it.
package logevent

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Event identifies an event in the life of a service. Its number is its event ID in the
// Event Log. A number never changes and is never reused.
type Event uint8

// The events. The message and the fields of the record say what happened, and why.
const (
	Starting     Event = 1  // the run begins
	Ready        Event = 2  // Start returned; the program serves
	Stopping     Event = 3  // the first reason to stop was received
	Stopped      Event = 4  // the run ended: how, and how long it took
	Failed       Event = 5  // something failed that ends the run
	Reloading    Event = 6  // the program was asked to reload
	Reloaded     Event = 7  // the program reloaded
	ReloadFailed Event = 8  // the program could not reload, and continues as before
	Paused       Event = 9  // the program paused
	Continued    Event = 10 // the program continued
	GaveUp       Event = 11 // something still ran when the deadline passed
	Crashed      Event = 12 // the previous run crashed; the record has its text
	RecordsLost  Event = 13 // records were dropped; the record says how many
	LevelChanged Event = 14 // the log level changed at run time
)

// Key is the key of the field that holds an event.
const Key = "event"

// Field returns the field that marks a record as one of the event e. It does not allocate.
func (e Event) Field() zap.Field {
	return zap.Field{Key: Key, Type: zapcore.StringerType, Interface: e}
}

// In returns the event in f, 0 if there is none. A field of the program with the same key
// does not count.
func In(f zapcore.Field) Event {
	if f.Type != zapcore.StringerType {
		return 0
	}
	e, _ := f.Interface.(Event)
	return e
}

// Of returns the event in fields, 0 if there is none.
func Of(fields []zapcore.Field) Event {
	for i := range fields {
		if e := In(fields[i]); e != 0 {
			return e
		}
	}
	return 0
}

// All returns all events, ordered by their numbers.
func All() []Event {
	all := make([]Event, len(table)-1)
	for i := range all {
		all[i] = Event(i + 1)
	}
	return all
}

// String returns the event's name in text logs.
func (e Event) String() string { return e.entry().name }

// MessageID returns the event's MESSAGE_ID in the journal: 32 hexadecimal digits, or "" for
// an undefined event. journalctl MESSAGE_ID=… finds its records, whatever their messages
// say. The ID never changes.
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
