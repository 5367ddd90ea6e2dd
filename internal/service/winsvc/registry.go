package winsvc

import (
	"encoding/binary"
	"unicode/utf16"
)

const (
	eventMessages = `%SystemRoot%\System32\EventCreate.exe` // has a message, of one text, for every number from 1 to 1000
	eventTypes    = 7                                       // errors, warnings, information

	// markName is the value that says that a service is ours: the version of the program
	// that install has made it for.
	markName = "Glidepath"
)

func serviceKey(name string) string    { return `SYSTEM\CurrentControlSet\Services\` + name }
func parametersKey(name string) string { return serviceKey(name) + `\Parameters` }

func logKey(name string) string { return `SYSTEM\CurrentControlSet\Services\EventLog\` + name }

func eventKey(name string) string {
	return `SYSTEM\CurrentControlSet\Services\EventLog\Application\` + name
}

func text(kind uint32, s string) value { return value{kind, wide(s + "\x00")} }

func dword(n uint32) value { return value{regDWord, binary.LittleEndian.AppendUint32(nil, n)} }

// multi is a list of texts, none of which may be empty: the first such would end it.
func multi(list []string) value {
	all := ""
	for _, s := range list {
		all += s + "\x00"
	}
	return value{regMulti, wide(all + "\x00")}
}

func wide(s string) (b []byte) {
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

// texts are the texts of a value of any kind of text.
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
