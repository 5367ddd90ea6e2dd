package winsvc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// lost returns warnings about settings of a service of another tool that w, which replaces it,
// does not have. It omits the names of the service, its folder and its privileges, for which w
// always has something of its own.
func (s settings) lost(w settings) (warnings []string) {
	not := func(format string, args ...any) {
		warnings = append(warnings, manage.NotCarried(fmt.Sprintf(format, args...)))
	}
	if s.Type != w.Type {
		not("the type %s", serviceType(s.Type))
	}
	if s.config.Start != w.config.Start || s.Delayed != w.Delayed {
		text := startType(s.config.Start)
		if s.Delayed {
			text += ", delayed"
		}
		not("the start type %s", text)
	}
	if s.ErrorControl != w.ErrorControl {
		not("the error control %s", errorControl(s.ErrorControl))
	}
	if !sameAccount(s.Account, w.Account) {
		not("the account %s", account(s.Account, ""))
	}
	for _, d := range s.Dependencies {
		if !slices.ContainsFunc(w.Dependencies, func(o string) bool { return strings.EqualFold(o, d) }) {
			not("the dependency %s", d)
		}
	}
	for _, v := range s.Environment {
		if !slices.ContainsFunc(w.Environment, func(o string) bool { return sameVariable(o, v) }) {
			not("the variable %s", v)
		}
	}
	if len(s.Failure.Actions) > 0 && s.Failure.String() != w.Failure.String() {
		not("the recovery %s", s.Failure)
	}
	return warnings
}

// sameVariable reports whether two variables are equal. It ignores the case of their names.
func sameVariable(a, b string) bool {
	name, value, _ := strings.Cut(a, "=")
	other, has, _ := strings.Cut(b, "=")
	return strings.EqualFold(name, other) && value == has
}
