package manage

import (
	"slices"
	"strings"
)

// Limits that no setting moves. What is longer is installed, and fails at the first start.
const (
	maxUnit       = 255             // bytes of the name of a unit of systemd
	maxUnixSocket = 107             // bytes of the path of a socket: sun_path has 108, with a NUL
	maxPath       = 4095            // bytes of a path on Linux: PATH_MAX, without the NUL
	maxWord       = 128<<10 - 1     // bytes of an argument, or of a variable, on Linux: MAX_ARG_STRLEN, without the NUL
	spare         = 8 << 10         // bytes of the environment that are for what the manager adds
	leastFiles    = 16              // open files that a program of Go and systemd, which starts it, may need
	pointer       = 8               // bytes that each argument and each variable takes besides
	defaultStack  = uint64(8) << 20 // bytes of RLIMIT_STACK, a quarter of which Linux gives to arguments and environment
)

// maxExec is how many bytes the arguments and the environment of a process may have
// together, 0 if nothing is known of a limit. That of Windows is for the command line
// alone, see package winsvc.
func maxExec(goos string) int {
	switch goos {
	case "linux":
		return int(defaultStack / 4)
	case "solaris", "illumos":
		return 2 << 20
	case "darwin":
		return 1 << 20
	case "freebsd", "openbsd":
		return 512 << 10
	case "netbsd", "dragonfly":
		return 256 << 10
	}
	return 0
}

// checkSize refuses a command line and an environment that execve would refuse with E2BIG.
func (s Spec) checkSize(c *checker, goos string) {
	total := spare
	word := func(field, text string) {
		total += len(text) + 1 + pointer
		if goos == "linux" && len(text) > maxWord {
			c.wrong(field, "has %d bytes: Linux starts nothing with more than %d in one argument or variable", len(text), maxWord)
		}
	}
	word("Executable", s.Executable)
	for i, a := range s.Arguments {
		word(argument(i), a)
	}
	for _, v := range Vars(s.Environment) {
		word("Environment["+v.Name+"]", v.Name+"="+v.Value)
	}
	if most := maxExec(goos); most > 0 && total > most {
		c.wrong("Arguments", "and Environment have %d bytes together, with what the manager adds: %s starts nothing with more than %d", total, goos, most)
	}
}

// checkNames refuses names that are too long together.
func (s Spec) checkNames(c *checker) {
	if n := len(s.ServiceName()); n > maxName {
		c.wrong("Instance", "makes a name of %d bytes with the service's: want at most %d", n, maxName)
	}
	for _, k := range s.Sockets {
		if n := len(s.Name) + len(k.Name); n > maxName {
			c.wrong("Sockets", "makes a name of %d bytes of %q and the service's: want at most %d", n, k.Name, maxName)
		} else if n := len(s.ServiceName() + "-" + k.Name + ".socket"); n > maxUnit {
			c.wrong("Sockets", "makes a name of %d bytes of %q, the service's and the instance's: want at most %d", n, k.Name, maxUnit)
		}
	}
}

// checkSelf refuses a service that waits for itself. systemd and Windows take it, and
// Windows never starts it.
func (s Spec) checkSelf(c *checker) {
	for _, n := range s.Dependencies {
		if strings.TrimSuffix(n, ".service") == s.ServiceName() {
			c.wrong("Dependencies", "has the service itself")
		}
	}
	for _, d := range s.Windows.Dependencies {
		if strings.EqualFold(d, s.ServiceName()) {
			c.wrong("Windows.Dependencies", "has the service itself, %s", d)
		}
	}
	for _, l := range s.OpenRC.Depend {
		words := strings.Fields(l)
		if len(words) > 0 && words[0] != "provide" && slices.Contains(words[1:], strings.ReplaceAll(s.ServiceName(), "@", ".")) {
			c.wrong("OpenRC.Depend", "has the service itself: %q", l)
		}
	}
	for _, l := range s.Systemd.Unit {
		name, value, _ := strings.Cut(l, "=")
		switch name {
		case "After", "Before", "BindsTo", "Conflicts", "PartOf", "Requires", "Requisite", "Upholds", "Wants":
		default:
			continue
		}
		for unit := range strings.FieldsSeq(value) {
			if unit == s.ServiceName()+".service" || s.Template && unit == s.Name+"@%i.service" || unit == "%n" {
				c.wrong("Systemd", "has the service itself: %q", l)
			}
		}
	}
}
