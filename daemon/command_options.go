package daemon

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// options are the flags of a command, all of them; each command knows its own.
type options struct {
	help, dryRun, now, enable, force, purge, user, json, follow, dependents bool

	instance string
	lines    int
	since    time.Time
	level    zapcore.LevelEnabler
	match    *regexp.Regexp
	about    *verb // what to help with
}

// option is a flag of a command.
type option struct {
	name, value, summary string // value is what its value is called, "" if it has none
	set                  func(o *options, value string) error
	letter               string // a short name, if it has two
}

func toggle(name, summary string, field func(*options) *bool) option {
	return option{name: name, summary: summary, set: func(o *options, _ string) error {
		*field(o) = true
		return nil
	}}
}

// The flags that several commands have.
var (
	userOption       = toggle("user", "act on a per-user service", func(o *options) *bool { return &o.user })
	dependentsOption = toggle("dependents", "also stop the services that need this one; after a restart, start them again", func(o *options) *bool { return &o.dependents })

	instanceOption = option{name: "instance", value: "NAME", summary: "the instance of a template", set: func(o *options, value string) error {
		if value == "" { // a variable of a script that is not set, for one
			return errors.New("want the name of an instance, but got none")
		}
		o.instance = value
		return nil
	}}
)

// which are the flags that say which service is meant.
func which(more ...option) []option { return append(more, userOption, instanceOption) }

// dashed is the flag as people write it.
func (o option) dashed() string {
	if len(o.name) == 1 {
		return "-" + o.name
	}
	return "--" + o.name
}

// usage is the flag with its names, and what its value is called.
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

// parse adds the flags in args to o: --name, --name=value, --name value, with one
// dash or two. Nothing else may stand there, but a command behind help.
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

func (v verb) option(name string) *option {
	for i := range v.options {
		if o := &v.options[i]; o.name == name || o.letter != "" && o.letter == name {
			return &v.options[i]
		}
	}
	return nil
}
