package script

import (
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service"
)

// toSyslog makes a program log to the syslog of the host, where syslogd runs.
func toSyslog() service.Var { return service.Var{Name: "LOG_TARGET", Value: "syslog"} }

// Environment returns what the service finds in its environment: the variables of the
// program, its folders, its instance, and the defaults, which the program can override.
func Environment(s service.Spec, d dirs.Dirs, defaults ...service.Var) []service.Var {
	all := map[string]string{}
	for _, v := range defaults {
		all[v.Name] = v.Value
	}
	for name, value := range s.Environment {
		all[name] = value
	}
	for _, v := range d.Vars() {
		all[v.Name] = v.Dir
	}
	if s.Template {
		all["SERVICE_INSTANCE"] = s.Instance
	}
	if s.EnvironmentFile != "" {
		all[envfile.Variable] = s.EnvironmentFile // the run reads it
	}
	return service.Vars(all)
}
