// Package journaltest makes records for tests of package journal, including hostile ones with
// random fields, and tells what the journal must contain. It shares no code with package
// journal.
package journaltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Field holds a field of the journal.
type Field struct{ Name, Value string }

// Record holds what a program logs and the fields that the journal must have, including
// repeated ones.
type Record struct {
	Level   zapcore.Level
	Message string
	Fields  []zap.Field
	Want    []Field
}

// New returns the record for a seed.
func New(seed uint64) Record {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	levels := []zapcore.Level{zap.DebugLevel, zap.InfoLevel, zap.WarnLevel, zap.ErrorLevel, zap.DPanicLevel}
	l := g.IntN(len(levels))
	g.Level, g.Message = levels[l], short(g.text())
	g.wants("MESSAGE", Readable(g.Message))
	g.wants("PRIORITY", []string{"7", "6", "4", "3", "2"}[l])
	for range g.IntN(12) {
		g.field()
	}
	if g.errno != 0 {
		g.wants("ERRNO", strconv.Itoa(int(g.errno)))
	}
	return g.Record
}

// Of returns a record with one field of each kind that contains key and text.
func Of(key, text string, blob []byte) Record {
	g := &generator{Record: Record{Level: zap.InfoLevel, Message: short(text)}, Rand: rand.New(rand.NewPCG(0, 0))}
	g.wants("MESSAGE", Readable(g.Message))
	g.wants("PRIORITY", "6")
	g.add(zap.String(key, text), Readable(text))
	g.add(zap.ByteString(key, []byte(text)), Readable(text))
	g.add(zap.Binary(key, blob), string(blob))
	g.add(zap.NamedError(key, errors.New(text)), Readable(text))
	g.add(zap.Stringer(key, word(text)), Readable(text))
	g.add(zap.Stringer(key, panics{text}), Readable("PANIC="+text))
	g.Fields = append(g.Fields, zap.Namespace(key))
	g.space = Sanitised(key) + "_"
	g.keys = key
	g.add(zap.String(key, text), Readable(text))
	return g.Record
}

// short returns as much of text as fits into a message without being cut.
func short(text string) string { return text[:min(len(text), 500)] }

type generator struct {
	*rand.Rand
	Record
	space, keys string
	errno       syscall.Errno
}

func (g *generator) wants(name, value string) { g.Want = append(g.Want, Field{name, value}) }

func (g *generator) add(f zap.Field, value string) {
	g.Fields = append(g.Fields, f)
	g.wants(g.name(f.Key), value)
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) key() string {
	return pick(g, "request", "user.id", "Größe", "MESSAGE", "priority", "_pid", "_SYSTEMD_UNIT", "1st", "", "a b", "with-dash",
		"code_file", "syslog_identifier", "errno", "unit", "object_pid", "coredump_unit", "a\nINJECTED=yes", "x=y", "nul\x00", "bad\xff",
		strings.Repeat("long", 20)+pick(g, "1", "2"), strings.Repeat("q", 64), strings.Repeat("q", 65), strings.Repeat("_", 80), "日本語",
		"stack", "logger", "more_fields", "logged_at", "message_id", "event")
}

func (g *generator) text() string {
	var b strings.Builder
	for range g.IntN(5) {
		b.WriteString(pick(g, "served", " ", "\n", "\nINJECTED=yes\n", "INJECTED\n\x03\x00\x00\x00\x00\x00\x00\x00yes\n", "\x00", "\x1b[31m", "\r\n", "\t",
			"\x7f", "\u0085", "\u009f", "\u00a0", "ö", "\u2028", "\uFDD0", "\uFFFE", "\U0001FFFE", "\U0010FFFF", "🦊", "\xff", "\xed\xa0\x80", "\xc0\x80", "\uFFFD",
			"=", `"`, `\`, "<&>", strings.Repeat("long ", 2000), "MESSAGE=no"))
	}
	return b.String()
}

type word string

func (w word) String() string { return string(w) }

type panics struct{ with string }

func (p panics) String() string { panic(p.with) }

type pair struct {
	A string
	B float64 `json:"b,omitempty"`
	C *pair   `json:",omitempty"`
}

func (p pair) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("A", p.A)
	enc.AddFloat64("b", p.B)
	return nil
}

type half struct{ text string }

func (h half) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddInt("done", 1)
	return errors.New(h.text)
}

func (g *generator) field() {
	key, text, n := g.key(), g.text(), int64(g.Uint64())
	switch g.IntN(28) {
	case 0:
		g.add(zap.ByteString(key, []byte(text)), Readable(text))
	case 1:
		g.add(zap.Binary(key, []byte(text)), text)
	case 2:
		g.add(zap.Bool(key, n&1 == 1), strconv.FormatBool(n&1 == 1))
	case 3:
		g.add(zap.Int64(key, n), strconv.FormatInt(n, 10))
	case 4:
		g.add(zap.Int8(key, int8(n)), strconv.Itoa(int(int8(n))))
	case 5:
		g.add(zap.Uint64(key, uint64(n)), strconv.FormatUint(uint64(n), 10))
	case 6:
		g.add(zap.Uint16(key, uint16(n)), strconv.Itoa(int(uint16(n))))
	case 7:
		v := pick(g, g.NormFloat64(), math.NaN(), math.Inf(-1), 1e300, 0, float64(n))
		g.add(zap.Float64(key, v), strconv.FormatFloat(v, 'g', -1, 64))
	case 8:
		v := float32(g.NormFloat64())
		g.add(zap.Float32(key, v), strconv.FormatFloat(float64(v), 'g', -1, 32))
	case 9:
		g.add(zap.Duration(key, time.Duration(n)), time.Duration(n).String())
	case 10:
		v := time.Unix(n%1e10, n%1e9).UTC()
		g.add(zap.Time(key, v), v.Format(time.RFC3339Nano))
	case 11:
		v := time.Date(9000, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
		g.add(zap.Time(key, v), "9000-01-02T03:04:05.000000006+01:00")
	case 12:
		g.add(zap.NamedError(key, errors.New(text)), Readable(text))
	case 13:
		errno := pick(g, syscall.ENOENT, syscall.EPIPE)
		err := error(&fs.PathError{Op: "open", Path: text, Err: errno})
		g.add(zap.NamedError(key, err), Readable(err.Error()))
		if g.errno == 0 {
			g.errno = errno
		}
	case 14:
		g.add(zap.Stringer(key, word(text)), Readable(text))
	case 15:
		g.add(zap.Stringer(key, panics{text}), Readable("PANIC="+text))
	case 16:
		g.add(zap.Stringer(key, (*panics)(nil)), "<nil>")
	case 17:
		g.add(zap.Object(key, pair{A: text, B: 1.5}), zapJSON(pair{A: text, B: 1.5}))
	case 18:
		g.add(zap.Strings(key, []string{text, "b"}), zapJSON([]string{text, "b"}))
	case 19:
		g.add(zap.Reflect(key, pair{A: text, C: &pair{B: 2}}), jsonOf(pair{A: text, C: &pair{B: 2}}))
	case 20:
		g.add(zap.Complex128(key, 1-2i), "(1-2i)")
	case 21:
		g.add(zap.Any(key, nil), "null")
	case 22:
		if len(g.space) > 200 {
			return
		}
		g.Fields = append(g.Fields, zap.Namespace(key))
		g.space += Sanitised(key) + "_"
	case 23:
		g.Fields = append(g.Fields, zap.Inline(pair{A: text, B: 0.5}))
		g.wants(g.name("A"), Readable(text))
		g.wants(g.name("b"), "0.5")
	case 24:
		g.Fields = append(g.Fields, zap.Skip())
	case 25:
		g.add(zap.Object(key, half{text}), `{"done":1}`)
		g.wants(g.name(key+"_ERROR"), Readable(text))
	case 26:
		loop := &pair{A: text}
		loop.C = loop
		g.add(zap.Reflect(key, loop), "*journaltest.pair: it is nested more than 100 levels deep, or refers to itself")
	default:
		g.add(zap.String(key, text), Readable(text))
	}
}

var (
	notOfNames = regexp.MustCompile(`[^A-Z0-9]`)
	taken      = regexp.MustCompile(`^(MESSAGE|MESSAGE_ID|PRIORITY|ERRNO|LOGGER|STACK|LOGGED_AT|MORE_FIELDS|TID|DOCUMENTATION|(USER_)?(INVOCATION_ID|UNIT)|` +
		`OBJECT_(PID|UID|GID|COMM|EXE|CMDLINE|CAP_EFFECTIVE|AUDIT_.*|SELINUX_.*|SYSTEMD_.*)|CODE_.*|COREDUMP_.*|SYSLOG_.*)$`)
)

// Sanitised returns key converted to the characters of a name.
func Sanitised(key string) string {
	var first []byte // the first bytes of the code points
	for _, c := range []byte(key) {
		if c>>6 != 0b10 {
			first = append(first, min(c, unicode.MaxASCII))
		}
	}
	return notOfNames.ReplaceAllString(strings.ToUpper(string(first)), "_")
}

func (g *generator) name(key string) string {
	name := g.space + Sanitised(key)
	if name == "" || name[0] < 'A' || name[0] == '_' || taken.MatchString(name) {
		name = "FIELD_" + name
	}
	if len(name) <= 64 {
		return name
	}
	hash := fnv.New32a()
	fmt.Fprint(hash, g.space, key)
	return fmt.Sprintf("%s_%08X", name[:55], hash.Sum32())
}

// Readable returns text with what journalctl would not show escaped.
func Readable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n' || r == '\t' || !unset(r):
			b.WriteString(s[:n])
		default:
			b.WriteString(strings.Trim(strconv.QuoteToASCII(s[:n]), `"`))
		}
		s = s[n:]
	}
	return b.String()
}

func unset(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// zapJSON returns v as zap encodes it to JSON.
func zapJSON(v any) string { return strings.ReplaceAll(jsonOf(v), `\u2028`, "\u2028") }

// jsonOf returns v as JSON in which every character is shown.
func jsonOf(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	var out []byte
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if !unset(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		quoted, _ := json.Marshal(string(r))
		if text := strings.Trim(string(quoted), `"`); text != string(r) {
			out = append(out, text...)
		} else if r > 0xFFFF {
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return string(out)
}
