package kardianos

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
)

// config returns what kardianos/service is told. Neither template has an environment, and
// both write the path of the executable without quotes, so env(1) is what runs.
func (d dialect) config(s manage.Spec) *kardianos.Config {
	name := s.ServiceName()
	dirs := folders(name)
	c := &kardianos.Config{
		Name: name, DisplayName: s.DisplayName, Executable: "/usr/bin/env", WorkingDirectory: s.WorkingDirectory,
		Option: kardianos.KeyValue{"LogOutput": true, "LogDirectory": dirs.Logs},
	}
	for _, v := range script.Environment(s, dirs) {
		c.Arguments = append(c.Arguments, v.Name+"="+v.Value)
	}
	c.Arguments = append(append(c.Arguments, s.Executable), s.Arguments...)
	switch {
	case s.Root():
	case s.Account != "":
		c.UserName = s.Account
	default:
		c.UserName = account.Name(name)
	}
	c.Description = fmt.Sprintf("%s; %s %s%s", s.Description, manage.Mark, settings, hash(c))
	return c
}

func hash(c *kardianos.Config) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", c.DisplayName, c.UserName, c.Arguments, c.WorkingDirectory, c.Option["LogDirectory"]))
	return hex.EncodeToString(sum[:6])
}

// listing returns what is shown of a file that kardianos/service is to write.
func (d dialect) listing(c *kardianos.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "written by kardianos/service v1.3.0 for %s from\n", d.name())
	fmt.Fprintf(&b, "  name        %s\n  description %s\n", c.Name, c.Description)
	if c.UserName != "" {
		fmt.Fprintf(&b, "  user        %s\n", c.UserName)
	}
	if c.WorkingDirectory != "" {
		fmt.Fprintf(&b, "  directory   %s\n", c.WorkingDirectory)
	}
	for _, a := range append([]string{c.Executable}, c.Arguments...) {
		fmt.Fprintf(&b, "  runs        %s\n", a)
	}
	return b.String()
}

// legal refuses what the templates would not write as it is.
func (d dialect) legal(s manage.Spec) error {
	var errs []error
	refuse := func(field, value, characters string) {
		if strings.ContainsAny(value, characters) {
			errs = append(errs, fmt.Errorf("%w: %s is %q: %s cannot carry any of %s", manage.ErrConfig, field, value, d.name(), characters))
		}
	}
	quoted, bare := "\"$`\\%", " \t\"'$`\\%&|;<>()#*?[]~!{}"
	words := quoted
	if d.system == src {
		words = bare
		if len(s.ServiceName()) > 30 {
			errs = append(errs, fmt.Errorf("%w: Name %s is longer than the 30 characters that AIX takes", manage.ErrConfig, s.ServiceName()))
		}
		if !s.Root() {
			errs = append(errs, fmt.Errorf("%w: Account is %q, but kardianos/service has AIX run everything as root: say so (Account: LocalSystem) if the service may have all rights", manage.ErrConfig, s.Account))
		}
		if slices.Contains(s.Arguments, "") {
			errs = append(errs, fmt.Errorf("%w: Arguments have an empty one, which AIX cannot carry", manage.ErrConfig))
		}
	}
	refuse("Executable", s.Executable, words+"=") // env(1) would take it for a variable
	for _, a := range s.Arguments {
		refuse("Arguments", a, words)
	}
	for _, v := range manage.Vars(s.Environment) {
		refuse("Environment["+v.Name+"]", v.Value, words)
	}
	refuse("EnvironmentFile", s.EnvironmentFile, words)
	refuse("DisplayName", s.DisplayName, quoted)
	refuse("WorkingDirectory", s.WorkingDirectory, bare)
	refuse("Account", s.Account, bare)
	return errors.Join(errs...)
}

func (d dialect) lacks(s manage.Spec) []string {
	if d.system == src {
		lines := script.Lacks(d.name(), s, "Recovery.Delays", "Recovery")
		if !s.Recovery.Never {
			lines = append(lines, "Recovery: kardianos/service has AIX restart it at most once in a while (-R); how often is not ours to say")
		}
		if s.WorkingDirectory != "" {
			lines = append(lines, "WorkingDirectory: kardianos/service does not hand it on; it works in /")
		}
		if s.StopTimeout > 30*time.Second {
			lines = append(lines, "StopTimeout: AIX kills it after 30 s (-w 30)")
		}
		if !manage.ByItself(s.StartType) {
			lines = append(lines, "StartType: kardianos/service links it into the runlevels; it starts with the machine")
		}
		return append(lines, "the umask is not set, and what it logs goes to /dev/null: have it log to a file")
	}
	lines := script.Lacks(d.name(), s, "Recovery.Delays")
	lines = append(lines, fmt.Sprintf("StopTimeout: kardianos/service sets no kill timeout; Upstart kills it after 5 s, not %s", s.StopTimeout))
	if s.Recovery.Never {
		lines = append(lines, "Recovery.Never: kardianos/service has it restarted all the same")
	} else {
		lines = append(lines, "Recovery.Delays: Upstart has none; it restarts it at once, and gives it up after 10 times in 5 s")
	}
	if !manage.ByItself(s.StartType) {
		lines = append(lines, "StartType: kardianos/service has it started with the machine; echo manual >/etc/init/"+s.ServiceName()+".override changes that")
	}
	return append(lines, "the umask is 022, and not 077: files of the service are readable outside its folders")
}

// lost returns warnings about what a job of Upstart has that kardianos/service has made for
// another program, and the one in its place has not.
func lost(old string, s manage.Spec, account string) []string {
	user := false
	lines := manage.Lost(old, func(line string) bool {
		word, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		switch word {
		case "exec":
			value, _, _ = strings.Cut(value, " >> ")
			if rest, ok := strings.CutPrefix(value, "sudo -E -u "); ok {
				var name string
				name, value, _ = strings.Cut(rest, " ")
				user = true
				if name != s.Account {
					return false
				}
			}
			return strings.ReplaceAll(value, `"`, "") == strings.Join(append([]string{s.Executable}, s.Arguments...), " ")
		case "chdir":
			return value == s.WorkingDirectory
		case "setuid":
			user = true
			return value == s.Account
		case "kill":
			return value == "signal INT"
		case "chroot", "env", "export", "limit", "nice", "oom", "setgid":
			return false
		}
		return true
	})
	if !user {
		lines = append(lines, manage.FormerRoot(account)...)
	}
	return lines
}
