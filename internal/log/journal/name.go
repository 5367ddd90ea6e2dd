package journal

import (
	"hash/fnv"
	"slices"
)

const (
	maxName = 64       // journald drops a field with a longer name
	prefix  = "FIELD_" // added to a name that cannot be used
)

// upper maps each ASCII character of a key to a character of a name.
const upper = "________________________________________________0123456789______" +
	"_ABCDEFGHIJKLMNOPQRSTUVWXYZ______ABCDEFGHIJKLMNOPQRSTUVWXYZ_____"

// appendName appends the journal's name of a field. space is the prefix from its
// namespaces: their names, converted, each followed by an underscore.
func appendName(b, space []byte, key string) []byte {
	start := len(b)
	b = appendUpper(append(b, space...), key)
	if name := b[start:]; len(name) == 0 || name[0] < 'A' || name[0] > 'Z' || reserved(name) {
		b = append(b, prefix...)
		copy(b[start+len(prefix):], b[start:])
		copy(b[start:], prefix)
	}
	if len(b)-start > maxName {
		hash := fnv.New32a()
		_, _ = hash.Write(space)
		_, _ = hash.Write([]byte(key))
		const digits = "0123456789ABCDEF"
		b = append(b[:start+maxName-9], '_')
		for shift := 28; shift >= 0; shift -= 4 {
			b = append(b, digits[hash.Sum32()>>shift&0xF])
		}
	}
	return b
}

// appendSpace appends the prefix that a namespace adds to names.
func appendSpace(space []byte, key string) []byte { return append(appendUpper(space, key), '_') }

// appendUpper appends key converted to the characters of names, one for each code point.
func appendUpper(b []byte, key string) []byte {
	n := len(b)
	b = slices.Grow(b, len(key))[:n+len(key)]
	for i := range len(key) {
		switch c := key[i]; {
		case c < 0x80:
			b[n] = upper[c]
		case c >= 0xC0:
			b[n] = '_'
		default:
			continue // not the first byte of a code point
		}
		n++
	}
	return b[:n]
}

// names caches the names of recently used keys: a program has few keys and repeats them. It
// stores copies, because the program may reuse a key's memory.
//
// An entry is as large as a cache line of the processor, because the kernel's work between
// two records evicts most others.
type names [16]struct {
	keyLen, nameLen uint8
	key             [shortKey]byte
	name            [shortName]byte
	_               [6]byte
}

const (
	shortKey  = 24 // the longest key that is cached, in bytes
	shortName = 32 // its longest name, including prefix and =, plus one byte so that copying is fast
)

// append appends the name of a key without namespaces, followed by =.
func (n *names) append(b []byte, key string) []byte {
	if len(key) == 0 || len(key) > shortKey {
		return append(appendName(b, nil, key), '=')
	}
	e := &n[(uint(len(key))*7+uint(key[0])+uint(key[len(key)-1])*3)%uint(len(n))]
	if string(e.key[:e.keyLen]) == key {
		start := len(b)
		b = slices.Grow(b, shortName)
		*(*[shortName]byte)(b[start : start+shortName]) = e.name
		return b[:start+int(e.nameLen)]
	}
	start := len(b)
	b = append(appendName(b, nil, key), '=')
	e.keyLen = uint8(copy(e.key[:], key))
	e.nameLen = uint8(copy(e.name[:], b[start:]))
	return b
}

// reserved reports whether a name is one of ours, or has a meaning for systemd: for
// journald, or for journalctl when it looks for the records of a unit.
func reserved(name []byte) bool {
	switch string(name) {
	case "MESSAGE", "MESSAGE_ID", "FULL_MESSAGE", "PRIORITY", "ERRNO",
		"LOGGER", "STACK", "LOGGED_AT", "MORE_FIELDS", MessageBytes, Keys,
		"TID", "DOCUMENTATION", "INVOCATION_ID", "USER_INVOCATION_ID", "UNIT", "USER_UNIT",
		"OBJECT_PID", "OBJECT_UID", "OBJECT_GID", "OBJECT_COMM", "OBJECT_EXE", "OBJECT_CMDLINE", "OBJECT_CAP_EFFECTIVE":
		return true
	}
	switch name[0] {
	case 'C':
		return hasPrefix(name, "CODE_") || hasPrefix(name, "COREDUMP_")
	case 'O':
		return hasPrefix(name, "OBJECT_AUDIT_") || hasPrefix(name, "OBJECT_SELINUX_") || hasPrefix(name, "OBJECT_SYSTEMD_")
	case 'S':
		return hasPrefix(name, "SYSLOG_")
	}
	return false
}

func hasPrefix(name []byte, p string) bool {
	return len(name) >= len(p) && string(name[:len(p)]) == p
}
