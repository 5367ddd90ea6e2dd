package daemon

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// options holds the values of the flags of all commands.
type options struct {
	help, dryRun, now, enable, force, purge, user, json, follow, dependents bool

	instance string
	lines    int
	since    time.Time
	level    zapcore.LevelEnabler
	match    *regexp.Regexp
	about    *verb // the command that help is about
}

// option describes a flag of a command.
type option struct {
	name, value, summary string // value is the placeholder of its value, "" if it has none
	set                  func(o *options, value string) error
	letter               string // a short name, "" if it has none
}

// toggle returns a flag without a value that sets a field to true.
func toggle(name, summary string, field func(*options) *bool) option {
	return option{name: name, summary: summary, set: func(o *options, _ string) error {
		*field(o) = true
		return nil
	}}
}

// Flags of several commands.
var (
	userOption       = toggle("user", "act on a per-user service", func(o *options) *bool { return &o.user })
	dependentsOption = toggle("dependents", "also stop the services that need this one; after a restart, start them again", func(o *options) *bool { return &o.dependents })

	instanceOption = option{name: "instance", value: "NAME", summary: "the instance of a template", set: func(o *options, value string) error {
		if value == "" { // an unset variable of a script, for example
			return errors.New("want the name of an instance, but got none")
		}
		o.instance = value
		return nil
	}}
)

// withTarget adds the flags that select the service.
func withTarget(more ...option) []option { return append(more, userOption, instanceOption) }

// dashed returns the name of the flag with its dashes.
func (o option) dashed() string {
	if len(o.name) == 1 {
		return "-" + o.name
	}
	return "--" + o.name
}

// usage returns the names of the flag and the placeholder of its value.
func (o option) usage() string {
	text := o.dashed()
	if o.letter != "" {
		text = "-" + o.letter + ", " + text
	}
	if o.value != "" {
		text += " " + o.value
	}
	return text
}

// parse adds the flags in args to o: --name, --name=value or --name value, with one dash or
// two. It refuses anything else, except one command after help.
func (c *commandLine) parse(v verb, o options, args []string) (options, error) {
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		switch {
		case v.name == "help" && len(args) == 1 && !strings.HasPrefix(args[i], "-"):
			about, ok := c.named(args[i])
			if !ok {
				return o, c.unknown(args[i])
			}
			o.about = &about
			continue
		case !strings.HasPrefix(args[i], "-") && len(v.options) == 0:
			return o, usageError(fmt.Sprintf("%s takes no arguments, but got %q", v.name, args[i:]))
		case !strings.HasPrefix(args[i], "-"):
			return o, usageError(fmt.Sprintf("%s takes only flags, but got %q; --help lists them", v.name, args[i]))
		case name == "h" || name == "help":
			o.help = true
			continue
		}
		found := v.option(name)
		switch {
		case found == nil:
			return o, usageError(fmt.Sprintf("%s has no flag %s; --help lists its flags", v.name, args[i]))
		case found.value == "" && has:
			return o, usageError(fmt.Sprintf("%s: the flag %s takes no value, but got %q", v.name, found.dashed(), value))
		case found.value != "" && !has && i+1 == len(args):
			return o, usageError(fmt.Sprintf("%s: the flag %s needs a value: %s", v.name, found.dashed(), found.value))
		case found.value != "" && !has:
			i++
			value = args[i]
		}
		if err := found.set(&o, value); err != nil {
			return o, usageError(fmt.Sprintf("%s: %s: %v", v.name, found.dashed(), err))
		}
	}
	return o, nil
}

// option returns the flag of v called name, or nil.
func (v verb) option(name string) *option {
	for i := range v.options {
		if o := &v.options[i]; o.name == name || o.letter != "" && o.letter == name {
			return &v.options[i]
		}
	}
	return nil
}
