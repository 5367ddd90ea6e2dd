package manage

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/envfile"
)

// maxTimeout bounds every duration. Beyond it some managers overflow.
const maxTimeout = 365 * 24 * time.Hour

// maxName bounds the names of services, instances and sockets, so that a unit of systemd
// (255 bytes) can be named after any two of them with a word between.
const maxName = 200

// given is the prefix and the names of variables that managers set themselves.
var given = []string{
	"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID",
	"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "FDSTORE", "MAINPID", "CREDENTIALS_DIRECTORY",
	"STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY",
	"SERVICE_INSTANCE", envfile.Variable,
}

// Reserved reports whether managers set the variable themselves.
func Reserved(name string) bool { return slices.Contains(given, name) }

// Check says what is wrong with s: all of it, each with ErrConfig. What it lets through
// can be written into any file of any manager, quoted as that wants it: no field has
// a control character but for the tab, and all are UTF-8.
func (s Spec) Check() error {
	var c checker
	c.line("Name", s.Name)
	c.line("DisplayName", s.DisplayName)
	c.line("Description", s.Description)
	c.line("Version", s.Version)
	c.absolute("Executable", s.Executable)
	if s.WorkingDirectory != "" {
		c.absolute("WorkingDirectory", s.WorkingDirectory)
	}
	if s.Instance != "" && !s.Template {
		c.wrong("Instance", "is %q, but the service is no template", s.Instance)
	}
	if s.Instance != "" && !instance(s.Instance) {
		c.wrong("Instance", "is %q: want letters, digits, '.', '_' and '-', beginning with a letter or digit", s.Instance)
	}
	for i, a := range s.Arguments {
		c.line(argument(i), a)
	}
	for _, v := range Vars(s.Environment) {
		switch {
		case !variable(v.Name):
			c.wrong("Environment", "has %q: want letters, digits and '_', not beginning with a digit", v.Name)
		case Reserved(v.Name):
			c.wrong("Environment", "has %s, which is the manager's to set", v.Name)
		}
		c.line("Environment["+v.Name+"]", v.Value)
	}
	if file, _ := envfile.Split(s.EnvironmentFile); s.EnvironmentFile != "" {
		c.absolute("EnvironmentFile", file)
	}
	c.line("Account", s.Account)
	if s.User && s.Account != "" {
		c.wrong("Account", "is %q, but a service of a user runs as that user", s.Account)
	}
	c.oneOf("StartType", string(s.StartType), service.Automatic, service.Delayed, service.Manual, service.Disabled, service.OnSocket)
	if s.StartType == service.OnSocket && len(s.Sockets) == 0 {
		c.wrong("StartType", "is %q, but there are no Sockets", s.StartType)
	}
	for _, n := range s.Dependencies {
		if !instance(strings.ReplaceAll(n, "@", "x")) {
			c.wrong("Dependencies", "has %q: want \"network\", or the name of a service", n)
		}
	}
	s.checkNames(&c)
	s.checkSize(&c, runtime.GOOS)
	s.checkSelf(&c)
	s.checkTimes(&c)
	s.checkHardening(&c)
	s.checkSockets(&c)
	s.checkManagers(&c)
	return errors.Join(c.errs...)
}

func (s Spec) checkTimes(c *checker) {
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"StartTimeout", s.StartTimeout},
		{"StopTimeout", s.StopTimeout},
		{"Recovery.ResetPeriod", s.Recovery.ResetPeriod},
		{"Watchdog", max(0, s.Watchdog)},
		{"Windows.PreshutdownTimeout", s.Windows.PreshutdownTimeout},
	} {
		c.duration(d.field, d.value)
	}
	if s.Watchdog > 0 && s.Watchdog < time.Second {
		c.wrong("Watchdog", "is %s: want at least 1s", s.Watchdog)
	}
	if len(s.Recovery.Delays) == 0 && !s.Recovery.Never {
		c.wrong("Recovery.Delays", "are none: want one at least, or Never")
	}
	if len(s.Recovery.Delays) > 1000 {
		c.wrong("Recovery.Delays", "are %d: want at most 1000", len(s.Recovery.Delays))
	}
	for _, d := range s.Recovery.Delays {
		c.duration("Recovery.Delays", d)
	}
}

func (s Spec) checkHardening(c *checker) {
	h := s.Hardening
	c.oneOf("Hardening.Profile", string(h.Profile), service.Strict, service.Network, service.Localhost, service.LowPorts, service.Lenient, service.Unconfined)
	for _, p := range h.WritablePaths {
		c.absolute("Hardening.WritablePaths", p)
	}
	s.checkKernel(c)
	if s.FileDescriptorStore < 0 {
		c.wrong("FileDescriptorStore", "is %d", s.FileDescriptorStore)
	}
	// systemd passes the sockets and the stored descriptors to each start.
	if n, least := s.Limits.OpenFiles, leastFiles+len(s.Sockets)+max(0, s.FileDescriptorStore); n > 0 && n < uint64(least) {
		c.wrong("Limits.OpenFiles", "is %d: want at least %d, which are %d, and one for each of Sockets and of FileDescriptorStore", n, least, leastFiles)
	}
	if n := s.Limits.LogRecords; n > MaxLogRecords {
		c.wrong("Limits.LogRecords", "is %d: want at most %d a second, which is as good as no limit", n, MaxLogRecords)
	}
	if cpu := s.Limits.CPU; !(cpu >= 0 && cpu <= 100_000) { // NaN is neither
		c.wrong("Limits.CPU", "is %v: want a number of processors", s.Limits.CPU)
	}
}

func (s Spec) checkManagers(c *checker) {
	for _, lines := range [][]string{s.Systemd.Unit, s.Systemd.Service} {
		for _, l := range lines {
			c.line("Systemd", l)
			name, _, ok := strings.Cut(l, "=")
			if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				c.wrong("Systemd", "has %q: want a directive, Name=value", l)
			}
			if strings.HasSuffix(l, `\`) {
				c.wrong("Systemd", "has %q: it would take the next line with it", l)
			}
		}
	}
	for name, file := range s.Systemd.Credentials {
		if !instance(name) {
			c.wrong("Systemd.Credentials", "has the name %q: want letters, digits, '.', '_' and '-'", name)
		}
		c.absolute("Systemd.Credentials", file)
		if strings.Contains(file, ":") {
			c.wrong("Systemd.Credentials", "has %q: systemd separates with ':'", file)
		}
	}
	for _, d := range s.Windows.Dependencies {
		c.line("Windows.Dependencies", d)
		if d == "" || strings.ContainsAny(d, `/\`) {
			c.wrong("Windows.Dependencies", "has %q: want the name of a service, or of a group with a + before it", d)
		}
	}
	c.line("Windows.SecurityDescriptor", s.Windows.SecurityDescriptor)
	for _, l := range s.OpenRC.Depend {
		c.line("OpenRC.Depend", l)
		for word := range strings.FieldsSeq(l) {
			if word != "*" && !instance(strings.TrimLeft(word, "*!-")) {
				c.wrong("OpenRC.Depend", "has %q: want a word of depend() and names of services", l)
			}
		}
	}
}

func argument(i int) string { return "Arguments[" + strconv.Itoa(i) + "]" }

type checker struct{ errs []error }

func (c *checker) wrong(field, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...)))
}

// line checks that a value has one line of text.
func (c *checker) line(field, value string) {
	if !utf8.ValidString(value) {
		c.wrong(field, "is %q: want UTF-8", value)
		return
	}
	for _, r := range value {
		if r != '\t' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			c.wrong(field, "is %q: want one line without control characters", value)
			return
		}
	}
}

func (c *checker) absolute(field, file string) {
	c.line(field, file)
	if !Absolute(file) {
		c.wrong(field, "is %q: want an absolute path, without . and ..", file)
	}
	if len(file) > maxPath {
		c.wrong(field, "has %d bytes: a path has at most %d", len(file), maxPath)
	}
}

func (c *checker) duration(field string, d time.Duration) {
	if d < 0 || d > maxTimeout {
		c.wrong(field, "is %s: want at most %s", d, maxTimeout)
	}
}

func (c *checker) oneOf(field, value string, of ...any) {
	for _, x := range of {
		if value == fmt.Sprint(x) {
			return
		}
	}
	c.wrong(field, "is %q: want one of %q", value, of)
}

// Absolute reports whether file is an absolute path in its shortest form. On Windows
// that of another system is one as well, so that its files can be rendered there.
func Absolute(file string) bool {
	if path.IsAbs(file) && path.Clean(file) == file && (runtime.GOOS != "windows" || !strings.Contains(file, `\`)) {
		return true
	}
	if filepath.IsAbs(file) && filepath.Clean(file) == file {
		return true
	}
	return len(file) > 3 && file[1] == ':' && file[2] == '\\' && !strings.Contains(file, `\.`) // a path of Windows, rendered elsewhere
}

// variable reports whether name can be that of an environment variable everywhere.
func variable(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// instance reports whether name has only what is legal in a name everywhere.
func instance(name string) bool {
	for i, r := range name {
		alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !alphanumeric && (i == 0 || r != '.' && r != '_' && r != '-') {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}
