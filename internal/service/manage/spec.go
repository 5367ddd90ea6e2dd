package manage

import (
	"maps"
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// Spec describes a service completely: what the program asks for, with every default that
// package daemon documents filled in. A Spec that a Manager gets has passed [Spec.Check].
type Spec struct {
	// Config is the part that programs write. In a Spec, Executable is absolute, Arguments are
	// all arguments, StartType, Hardening.Profile and Recovery are set, and Description is one
	// line. An empty WorkingDirectory means the manager's default, an empty Account means an
	// account of the service's own; "root" and "LocalSystem" are the same everywhere.
	service.Config

	Name        string // legal for every manager, see Config.Name of package daemon
	DisplayName string
	Description string // DisplayName if the program has none
	Version     string // of the program, "" if unknown

	// KeptFile is set if EnvironmentFile is that of the service which this one replaced: it
	// stays until the program names another.
	KeptFile bool

	// Enable applies StartType even if an administrator has disabled the service since it was
	// installed.
	Enable bool

	StartTimeout time.Duration
	StopTimeout  time.Duration
	Preshutdown  bool // Windows tells the service of a shutdown before it tells others
	CanPause     bool // the program is a Pauser
}

// ServiceName is what the manager calls it: NAME, or NAME@INSTANCE.
func (s Spec) ServiceName() string {
	if s.Template {
		return s.Name + "@" + s.Instance
	}
	return s.Name
}

// Root reports whether the service has all the rights that there are.
func (s Spec) Root() bool {
	return !s.User && (s.Account == "root" || s.Account == "LocalSystem")
}

// MaxLogRecords is as good as no limit. Where its disk has room, journald multiplies a limit
// by up to ten, and does not check that the product fits 32 bits.
const MaxLogRecords = 100_000_000

// Var is a variable of an environment.
type Var struct{ Name, Value string }

// Vars is an environment in the order of its names.
func Vars(environment map[string]string) []Var {
	vars := make([]Var, 0, len(environment))
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		vars = append(vars, Var{name, environment[name]})
	}
	return vars
}
