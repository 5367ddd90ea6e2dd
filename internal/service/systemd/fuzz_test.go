//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// directive is a line of a unit, as systemd understands it.
type directive struct{ section, name, value string }

// parseUnit reads a unit by the rules of systemd.syntax(7) alone.
func parseUnit(t *testing.T, text string) (unit []directive) {
	t.Helper()
	section, pending := "", ""
	for _, line := range strings.Split(text, "\n") {
		if pending == "" {
			line = strings.TrimLeft(line, " \t\r")
			if line == "" || line[0] == '#' || line[0] == ';' {
				continue
			}
		}
		trailing := len(line) - len(strings.TrimRight(line, `\`))
		if trailing%2 == 1 {
			pending += strings.TrimSuffix(line, `\`) + " "
			continue
		}
		line, pending = pending+line, ""
		if line[0] == '[' {
			section = line
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Fatalf("%q is no directive", line)
		}
		unit = append(unit, directive{section, strings.TrimRight(name, " \t"), strings.Trim(value, " \t\r")})
	}
	if pending != "" {
		t.Fatalf("the unit ends in the middle of a line: %q", pending)
	}
	return unit
}

// unescape replaces %% and fails for any other specifier.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if i++; i == len(s) || s[i] != '%' {
				t.Fatalf("%q has a specifier", s)
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// splitLine splits a line into words: quotes keep blanks, a backslash escapes as in C.
func splitLine(t *testing.T, s string) (words []string) {
	t.Helper()
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return words
		}
		var word strings.Builder
		quote := byte(0)
		i := 0
		for ; i < len(s); i++ {
			switch c := s[i]; {
			case c == '\\':
				if i++; i == len(s) {
					t.Fatalf("%q ends with a backslash", s)
				}
				switch s[i] {
				case '\\', '"', '\'':
					word.WriteByte(s[i])
				default:
					t.Fatalf("%q has the escape \\%c", s, s[i])
				}
			case quote != 0 && c == quote:
				quote = 0
			case quote != 0:
				word.WriteByte(c)
			case c == '"' || c == '\'':
				quote = c
			case c == ' ' || c == '\t':
				goto done
			default:
				word.WriteByte(c)
			}
		}
		if quote != 0 {
			t.Fatalf("%q has no second quote", s)
		}
	done:
		words = append(words, word.String())
		if s[:i] == ";" {
			t.Fatal("a lone ; begins another command")
		}
		s = s[i:]
	}
}

// execArgs returns what an ExecStart runs.
func execArgs(t *testing.T, value string) []string {
	t.Helper()
	line, literal := strings.CutPrefix(value, ":")
	if !strings.HasPrefix(strings.TrimLeft(line, `"'`), "/") {
		t.Fatalf("%q has a prefix", value)
	}
	if !literal && strings.Contains(line, "$") {
		t.Fatalf("%q has a variable", value)
	}
	words := splitLine(t, line)
	for i := range words {
		words[i] = unescape(t, words[i])
	}
	if words[0] == "/bin/sh" {
		if words[1] != "-c" || words[2] != `exec "$0" "$@"` {
			t.Fatalf("a shell runs %q", words)
		}
		words = words[3:]
	} else if strings.ContainsAny(words[0], `"'\`) {
		t.Fatalf("systemd does not run %q", words[0])
	}
	return words
}

// fields has the values that a hostile or careless configuration can choose.
type fields struct {
	description, executable, directory, account, argument, other, variable, writable, socket, credential string
}

func (x fields) spec() manage.Spec {
	return web(func(s *manage.Spec) {
		s.Description, s.Executable, s.WorkingDirectory, s.Account = x.description, x.executable, x.directory, x.account
		s.Arguments = []string{x.argument, x.other}
		s.Environment = map[string]string{"V": x.variable}
		s.Hardening.WritablePaths = []string{x.writable}
		s.Sockets = []service.Socket{{Name: "k", Network: "unix", Address: x.socket}}
		s.Systemd.Credentials = map[string]string{"c": x.credential}
	})
}

var harmless = fields{"d", "/e", "/w", "a", "b", "c", "v", "/p", "/k", "/c"}

// unitChecker compares the directives of a unit with the fields that it was rendered from.
type unitChecker struct {
	t *testing.T
	fields
	service string
	fixed   map[directive]bool // that do not depend on the fields
	seen    map[string]bool
}

func (c *unitChecker) see(name, got, want string) {
	c.t.Helper()
	if c.seen[name] {
		c.t.Errorf("%s is there twice", name)
	}
	c.seen[name] = true
	if got != want {
		c.t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// inService checks a directive of the service's unit.
func (c *unitChecker) inService(d directive) {
	switch d.name {
	case "Description":
		want := strings.Trim(c.description, " \t")
		if want == "" {
			want = c.service
		}
		if c.description != "" && want == c.service && strings.Trim(c.description, " \t") == "" {
			want = "" // blanks alone are none
		}
		c.see(d.name, unescape(c.t, d.value), want)
	case "ExecStart":
		c.see(d.name, fmt.Sprintf("%q", execArgs(c.t, d.value)), fmt.Sprintf("%q", []string{c.executable, c.argument, c.other}))
	case "WorkingDirectory":
		c.see(d.name, unescape(c.t, d.value), c.directory)
	case "Environment":
		if c.account == "" && d.value == "HOME=/var/lib/"+c.service {
			c.see("HOME", "", "")
			return
		}
		words := splitLine(c.t, d.value)
		if len(words) != 1 {
			c.t.Fatalf("%q are several", words)
		}
		c.see(d.name, unescape(c.t, words[0]), "V="+c.variable)
	case "User", "DynamicUser":
		if c.account == "" {
			c.see("User", d.value, "yes")
		} else {
			c.see("User", unescape(c.t, d.value), strings.Trim(strings.Replace(c.account, "LocalSystem", "root", 1), " \t"))
		}
	case "LoadCredential":
		c.see(d.name, unescape(c.t, d.value), "c:"+c.credential)
	case "ReadWritePaths", "BindPaths", "BindReadOnlyPaths":
		for _, p := range splitLine(c.t, d.value) {
			if p = unescape(c.t, p); !slices.Contains([]string{c.writable, c.executable, c.directory}, p) || p == "" {
				c.t.Errorf("%s has %q", d.name, p)
			}
		}
	case "ProtectHome":
		if d.value != "yes" && d.value != "tmpfs" {
			c.t.Errorf("got %+v", d)
		}
	case "TemporaryFileSystem":
		c.see(d.name, d.value, "/root:ro,mode=0755")
	default:
		if !c.fixed[d] {
			c.t.Errorf("there is %+v", d)
		}
	}
}

// inSocket checks a directive of the socket's unit.
func (c *unitChecker) inSocket(d directive) {
	switch d.name {
	case "ListenStream":
		c.see(d.name, unescape(c.t, d.value), c.socket)
	case "SocketUser":
		c.see(d.name, unescape(c.t, d.value), strings.Trim(c.account, " \t"))
	default:
		if !c.fixed[d] {
			c.t.Errorf("there is %+v", d)
		}
	}
}

// checkUnits fails unless the units of x have its values, and nothing else. It returns false
// if x cannot be installed.
func checkUnits(t *testing.T, x fields) bool {
	t.Helper()
	s := x.spec()
	if s.Check() != nil {
		return false
	}
	units, _, err := Render(s, 257, s.Executable)
	if err != nil {
		if !errors.Is(err, manage.ErrConfig) {
			t.Fatal(err)
		}
		return false
	}
	known, _, err := Render(harmless.spec(), 257, harmless.executable)
	if err != nil {
		t.Fatal(err)
	}
	c := unitChecker{t, x, s.Name, map[directive]bool{}, map[string]bool{}}
	for _, u := range known {
		for _, d := range parseUnit(t, u.Text) {
			c.fixed[d] = true
		}
	}
	for _, d := range parseUnit(t, units[0].Text) {
		c.inService(d)
	}
	for _, d := range parseUnit(t, units[1].Text) {
		c.inSocket(d)
	}
	for _, name := range []string{"Description", "ExecStart", "Environment", "LoadCredential", "ListenStream"} {
		if !c.seen[name] {
			t.Errorf("there is no %s", name)
		}
	}
	return true
}

// nasty are pieces that mean something to systemd, to C or to a shell.
var nasty = []string{
	"a", "Z", "0", " ", "\t", `"`, "'", `\`, "%", "%%", "%n", "$", "${HOME}", "$$", ";", "#", "=", ":", "[Service]", "\\n", `\x41`, `\ `, "-", "@", "+", "!", "|",
	"é", "日", "\u00a0", "/", "~", "*", "{}", "`", "(", "<", "&", ",", "\nUser=root", "\r", "\x00", "\xff", "\u2028",
}

func nastyText(r *rand.Rand, prefix string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for range r.IntN(6) {
		// Pieces that Check always refuses are rare, or nothing would be left.
		n := len(nasty)
		if r.IntN(40) > 0 {
			n -= 5
		}
		b.WriteString(nasty[r.IntN(n)])
	}
	return b.String()
}

// random returns fields made of pieces.
func random(r *rand.Rand) fields {
	path := func() string {
		return strings.TrimRight(nastyText(r, []string{"/", "/srv/", "/home/", "/root/", "/tmp/", "/opt/x "}[r.IntN(6)]), "/")
	}
	return fields{
		nastyText(r, ""), path(), path(), nastyText(r, "a"), nastyText(r, ""), nastyText(r, ""), nastyText(r, ""), path(), path(), path(),
	}
}

func TestRender_NoFieldAddsDirective(t *testing.T) {
	if !checkUnits(t, harmless) {
		t.Fatal("what is harmless is refused")
	}
	// One field at a time, so that one that is refused does not hide another.
	held := map[int]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 20_000 {
		x, one := random(r), harmless
		field := n % 11
		for i, p := range []struct{ to, from *string }{
			{&one.description, &x.description},
			{&one.executable, &x.executable},
			{&one.directory, &x.directory},
			{&one.account, &x.account},
			{&one.argument, &x.argument},
			{&one.other, &x.other},
			{&one.variable, &x.variable},
			{&one.writable, &x.writable},
			{&one.socket, &x.socket},
			{&one.credential, &x.credential},
		} {
			if i == field {
				*p.to = *p.from
			}
		}
		if field == 10 {
			one = x
		}
		if checkUnits(t, one) {
			held[field]++
		}
		if t.Failed() {
			t.Fatalf("with %+q", one)
		}
	}
	for field := range 10 {
		if held[field] < 200 {
			t.Errorf("field %d was hardly tried: %v", field, held)
		}
	}
	t.Logf("held: %v", slices.Sorted(maps.Values(held)))
}

func FuzzRender(f *testing.F) {
	f.Add("", "/usr/bin/web", "", "", "a", "b", "c", "/p", "/k", "/c")
	f.Add(`ends in \`, `/q"u'o\te`, "/w ", "a%n", "$HOME", ";", "%h", "/home/x y", "/k%n", "/c:d")
	f.Fuzz(func(t *testing.T, description, executable, directory, account, argument, other, variable, writable, socket, credential string) {
		checkUnits(t, fields{description, executable, directory, account, argument, other, variable, writable, socket, credential})
	})
}

func TestRender_RefusesWhatSystemdWouldMisunderstand(t *testing.T) {
	for field, changes := range map[string][]func(*manage.Spec){
		"WorkingDirectory": {func(s *manage.Spec) { s.WorkingDirectory = "/srv/x " }},
		"Hardening.WritablePaths": {
			func(s *manage.Spec) { s.Hardening.WritablePaths = []string{`/srv/a"b`} },
			func(s *manage.Spec) { s.Hardening.WritablePaths = []string{`/srv/a\b`} },
			func(s *manage.Spec) { s.Hardening.WritablePaths = []string{`/home/a:b`} },
		},
		"Executable": {
			func(s *manage.Spec) { s.Executable = `/home/me/a"b` },
			func(s *manage.Spec) { s.Executable = "/tmp/a:b" },
		},
		"Systemd.Credentials": {
			func(s *manage.Spec) { s.Systemd.Credentials = map[string]string{"a": "/etc/a b"} },
			func(s *manage.Spec) { s.Systemd.Credentials = map[string]string{"a": `/etc/a\b`} },
		},
		"Sockets.k": {func(s *manage.Spec) {
			s.Sockets = []service.Socket{{Name: "k", Network: "unix", Address: "/run/x "}}
		}},
	} {
		for i, change := range changes {
			s := web(change)
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			_, _, err := Render(s, 257, s.Executable)
			t.Log(field + " " + strconv.Itoa(i))
			wantError(t, err, manage.ErrConfig, field)
		}
	}
}

func TestRender_RestartDelays(t *testing.T) {
	type d = []string
	for _, test := range []struct {
		version int
		delays  d
		want    d
		warning string
	}{
		{257, d{"1s"}, d{"RestartSec=1s"}, ""},
		{257, d{"1s", "1s"}, d{"RestartSec=1s"}, ""},
		{257, d{"1s", "5s", "60s"}, d{"RestartSec=1s", "RestartSteps=2", "RestartMaxDelaySec=60s"}, ""},
		{257, d{"1500ms", "1h"}, d{"RestartSec=1500ms", "RestartSteps=1", "RestartMaxDelaySec=3600s"}, ""},
		{253, d{"1s", "5s", "60s"}, d{"RestartSec=1s"}, "254"},
		{257, d{"10s", "1s"}, d{"RestartSec=10s"}, "shorter"},
		{257, d{"0s"}, d{"RestartSec=100ms"}, "endlessly"},
		{257, d{"0s", "10s"}, d{"RestartSec=100ms", "RestartSteps=1", "RestartMaxDelaySec=10s"}, "endlessly"},
		{257, d{"200100200ns"}, d{"RestartSec=200101us"}, ""},
	} {
		s := web()
		s.Recovery.Delays = nil
		for _, x := range test.delays {
			s.Recovery.Delays = append(s.Recovery.Delays, duration(t, x))
		}
		units, warnings, err := Render(s, test.version, s.Executable)
		if err != nil {
			t.Fatal(err)
		}
		var got d
		for _, x := range parseUnit(t, units[0].Text) {
			if x.name == "RestartSec" || x.name == "RestartSteps" || x.name == "RestartMaxDelaySec" {
				got = append(got, x.name+"="+x.value)
			}
		}
		if !slices.Equal(got, test.want) || (test.warning == "") != (len(warnings) == 0) || !strings.Contains(strings.Join(warnings, ""), test.warning) {
			t.Errorf("%v: got %q and %q", test.delays, got, warnings)
		}
	}
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	x, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
