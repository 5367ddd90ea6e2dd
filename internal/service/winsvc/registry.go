package winsvc

import (
	"encoding/binary"
	"unicode/utf16"
)

const (
	eventMessages = `%SystemRoot%\System32\EventCreate.exe` // has a message with one text for each ID from 1 to 1000
	eventTypes    = 7                                       // errors, warnings, information

	// markName is the name of the value that marks a service as ours. It contains the version
	// of the program that was installed.
	markName = "Glidepath"
)

const servicesKey = `SYSTEM\CurrentControlSet\Services\`

// These return the keys of a service, of its parameters, of a log, and of an event source.
func serviceKey(name string) string    { return servicesKey + name }
func parametersKey(name string) string { return serviceKey(name) + `\Parameters` }
func logKey(name string) string        { return servicesKey + `EventLog\` + name }
func eventKey(name string) string      { return servicesKey + `EventLog\Application\` + name }

// text returns a value with one text.
func text(kind uint32, s string) value { return value{kind, wide(s + "\x00")} }

// dword returns a value with a number.
func dword(n uint32) value { return value{regDWord, binary.LittleEndian.AppendUint32(nil, n)} }

// multi returns a value with a list of texts. None may be empty, because that would end the list.
func multi(list []string) value {
	all := ""
	for _, s := range list {
		all += s + "\x00"
	}
	return value{regMulti, wide(all + "\x00")}
}

// wide returns a text in UTF-16.
func wide(s string) (b []byte) {
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

// texts returns the texts of a value of any type that contains text.
func (v value) texts() (list []string) {
	if v.Kind != regString && v.Kind != regExpand && v.Kind != regMulti {
		return nil
	}
	var s []uint16
	for i := 0; i+1 < len(v.Data); i += 2 {
		c := binary.LittleEndian.Uint16(v.Data[i:])
		if c != 0 {
			s = append(s, c)
			continue
		}
		if len(s) == 0 {
			return list
		}
		list = append(list, string(utf16.Decode(s)))
		s = nil
	}
	if len(s) > 0 {
		list = append(list, string(utf16.Decode(s)))
	}
	return list
}
