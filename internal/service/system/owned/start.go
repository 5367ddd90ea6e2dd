package owned

import (
	"path"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// The start type with which a service was installed is in a file of its own, next to the
// record. It is written when everything else is done: without it a service that does not
// start by itself may be one whose installation was cut short, and with it somebody has
// chosen that since.

const startHead = "# " + manage.Mark + "\n# The start type that it was installed with:\n"

func (r Record) startFile() string {
	return path.Join(path.Dir(r.file), ".start."+path.Base(r.file))
}

// Start returns the start type that the service was installed with, "" if nobody knows.
func (r Record) Start() service.StartType {
	text, _, err := r.tree.Read(r.startFile())
	said, ok := strings.CutPrefix(text, startHead)
	if err != nil || !ok {
		return ""
	}
	return service.StartType(strings.TrimSpace(said))
}

// PlanStart adds to a plan what SetStart does.
func (r Record) PlanStart(p *manage.Plan) {
	old, exists, _ := r.tree.Read(r.startFile())
	p.Artefacts = append(p.Artefacts, manage.Artefact{
		Name: r.startFile(), Mode: "0644", Old: old, New: startHead + string(p.Spec.StartType) + "\n", Present: exists, Wanted: true,
	})
}

// Stays reports whether a service stays enabled, or disabled, as now says, though p.Spec has
// it otherwise: somebody has made it so since it was installed. A note of p says that.
func (r Record) Stays(p *manage.Plan, now bool) bool {
	last, want := r.Start(), p.Spec.StartType
	switch {
	case !p.Installed || p.Replaces != "" || last == "":
		return false
	case now == manage.ByItself(last) || now == manage.ByItself(want):
		return false // nobody has chosen anything, or just what is wanted
	case now && want != service.Disabled:
		p.Notes = append(p.Notes, "it stays enabled, as somebody has left it since it was installed")
		return true
	case now || p.Spec.Enable:
		return false
	}
	p.Notes = append(p.Notes, "it stays disabled, as somebody has left it since it was installed; --enable enables it")
	return true
}

// SetStart writes down with which start type a service was installed. It is the last step.
func (r Record) SetStart(c *files.Change, start service.StartType) error {
	if r.Start() == start {
		return nil
	}
	return c.Write(r.startFile(), startHead+string(start)+"\n", 0o644)
}

// DropStart removes what SetStart wrote: the next installation is a first one again. It is
// the first step, so that what a removal that was cut short has disabled is no choice.
func (r Record) DropStart(c *files.Change) error {
	done := len(c.Done)
	err := c.Remove(r.startFile())
	c.Done = c.Done[:done] // nobody wants to hear of it
	return err
}
