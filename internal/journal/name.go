package journal

import "hash/fnv"

const (
	maxName = 64       // journald drops a field with a longer name
	prefix  = "FIELD_" // before a name that is not to be had
)

// upper is what stands in a name for a byte of a key, 0 for nothing: the bytes of a code
// point after its first.
func upper(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z':
		return c - 'a' + 'A'
	case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return c
	case 0x80 <= c && c < 0xC0:
		return 0
	}
	return '_'
}

// appendName appends the journal's name of a field. space is what its namespaces
// contribute: sanitised, each with an underscore after it.
func appendName(b, space []byte, key string) []byte {
	start := len(b)
	b = append(b, space...)
	for i := range len(key) {
		if c := upper(key[i]); c != 0 {
			b = append(b, c)
		}
	}
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

// appendSpace appends what a namespace contributes to names.
func appendSpace(space []byte, key string) []byte {
	for i := range len(key) {
		if c := upper(key[i]); c != 0 {
			space = append(space, c)
		}
	}
	return append(space, '_')
}

// reserved reports whether a name is one of ours, or means something to systemd: to
// journald, or to journalctl when it looks for what belongs to a unit.
func reserved(name []byte) bool {
	switch string(name) {
	case "MESSAGE", "MESSAGE_ID", "PRIORITY", "ERRNO",
		"LOGGER", "STACK", "LOGGED_AT", "MORE_FIELDS",
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
