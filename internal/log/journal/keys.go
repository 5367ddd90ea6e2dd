package journal

import "strconv"

// The names of fields that are for whoever reads records back.
const (
	// MessageBytes says how many bytes of MESSAGE are the message, where the text of the
	// fields is behind it.
	MessageBytes = "MESSAGE_BYTES"
	// Keys has the keys that are not their names in lower case, each in quotes.
	Keys = "KEYS"
)

// maxKeys is how many bytes of keys are kept.
const maxKeys = 2 << 10

// NamesOf returns the keys that a value of [Keys] has, by the names of their fields.
func NamesOf(value string) map[string]string {
	keys := map[string]string{}
	for value != "" {
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			break
		}
		if key, err := strconv.Unquote(quoted); err == nil {
			keys[string(appendName(nil, nil, key))] = key
		}
		value = value[len(quoted):]
		if value != "" {
			value = value[1:] // the space
		}
	}
	return keys
}

// Reserved reports whether a name is never that of a field of a program.
func Reserved(name string) bool { return name == "" || reserved([]byte(name)) }

// lower reports whether key is name in lower case.
func lower(name []byte, key string) bool {
	if len(name) != len(key) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != key[i] {
			return false
		}
	}
	return true
}
