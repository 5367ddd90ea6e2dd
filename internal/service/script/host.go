package script

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/envfile"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// host is the machine of a dialect.
type host struct{ manage.Machine }

// run runs a tool.
func (h host) run(ctx context.Context, tool string, args ...string) error {
	_, err := h.Runner()(ctx, tool, args...)
	return err
}

// links returns the links in these folders by which an init starts and stops a script, such
// as S50web and K02web.
func (h host) links(name string, folders ...string) (found []string) {
	for _, dir := range folders {
		entries, _ := os.ReadDir(h.Tree.Path(dir))
		for _, e := range entries {
			n := e.Name()
			if len(n) != len(name)+3 || n[3:] != name || n[0] != 'S' && n[0] != 'K' {
				continue
			}
			if p := path.Join(dir, n); path.Base(h.Tree.Link(p)) == name {
				found = append(found, p)
			}
		}
	}
	return found
}

// linksStart reports whether one of these links starts the service.
func linksStart(links []string) bool {
	for _, l := range links {
		if strings.HasPrefix(path.Base(l), "S") {
			return true
		}
	}
	return false
}

// sinceElapsed returns when a process began by what ps prints for etime, zero if by nothing.
func sinceElapsed(etime string) time.Time {
	age, ok := elapsed(etime)
	if !ok {
		return time.Time{}
	}
	return time.Now().Add(-age).Truncate(time.Second)
}

// lines is the text of a file in the making.
type lines struct{ strings.Builder }

func (l *lines) line(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }

// set writes an assignment of a shell.
func (l *lines) set(name, value string) { l.line("%s=%s", name, shell.Quote(value)) }

// toSyslog makes a program log to the syslog of the host, where syslogd runs.
func toSyslog() manage.Var { return manage.Var{Name: "LOG_TARGET", Value: "syslog"} }

// Environment returns what the service finds in its environment: the variables of the
// program, its folders, its instance, and the defaults, which the program can override.
func Environment(s manage.Spec, d dirs.Dirs, defaults ...manage.Var) []manage.Var {
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
	return manage.Vars(all)
}
