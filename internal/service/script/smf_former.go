package script

import (
	"context"
	"errors"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// smfTheirs returns where kardianos/service v1.3.0 has its manifest, and what it is called.
func smfTheirs(name string) (file, fmri string) {
	return "/lib/svc/manifest/application/" + name + ".xml", "svc:/application/" + name
}

// former returns the manifest of kardianos/service v1.3.0 for that name, "" if there is none.
func (d smf) former(name string) (string, error) {
	path, _ := smfTheirs(name)
	text, _, err := d.Tree.Read(path)
	if err != nil || !strings.Contains(text, "<service_bundle type='manifest' name='golang-"+name+"'>") {
		return "", err
	}
	return text, nil
}

func (d smf) Former(p *manage.Plan, account string) error {
	name := p.Spec.ServiceName()
	text, err := d.former(name)
	if err != nil || text == "" {
		return err
	}
	path, their := smfTheirs(name)
	p.Replaces, p.Installed = "kardianos/service", true
	p.Warnings = append(p.Warnings, smfLost(text, p.Spec, account)...)
	p.Artefacts = append(p.Artefacts, manage.Artefact{Name: path, Mode: "0644", Old: text, Present: true})
	p.Calls = append(p.Calls, "svcadm disable -s "+their+":default", "svccfg delete -f "+their)
	return nil
}

// takeOver removes the service of kardianos/service of that name, which has another name to
// SMF and would run next to ours.
func (d smf) takeOver(ctx context.Context, c *files.Change, name string) error {
	text, err := d.former(name)
	if err != nil || text == "" {
		return err
	}
	path, their := smfTheirs(name)
	late := context.WithoutCancel(ctx)
	state, err := d.Runner()(ctx, "svcs", "-H", "-o", "state", their+":default")
	if err != nil && command.Code(err) <= 0 {
		return err
	}
	if err == nil {
		c.Call(func() error {
			errs := []error{d.run(late, "svccfg", "import", d.Tree.Path(path))}
			if strings.HasPrefix(state, "online") {
				errs = append(errs, d.run(late, "svcadm", "enable", their+":default"))
			}
			return errors.Join(errs...)
		})
		if err := d.run(ctx, "svcadm", "disable", "-s", their+":default"); err != nil {
			return err
		}
		if err := d.run(ctx, "svccfg", "delete", "-f", their); err != nil {
			return err
		}
	}
	return c.Remove(path)
}

// smfLost returns warnings about what a manifest of kardianos/service has and the service in
// its place has not.
func smfLost(old string, s manage.Spec, account string) (warnings []string) {
	for part := range strings.SplitSeq(old, "exec='") {
		exec, rest, _ := strings.Cut(part, "'")
		if strings.HasPrefix(strings.TrimSpace(rest), "timeout_seconds='10'") && unescapeXML(exec) != "bash -c "+s.Executable+" &" {
			warnings = append(warnings, manage.NotCarried("the start method "+unescapeXML(exec)))
		}
	}
	for _, element := range []string{"<envvar ", "<method_credential ", "<method_context", "<propval "} {
		for i, part := range strings.Split(withoutComments(old), element) {
			if what, _, _ := strings.Cut(part, ">"); i > 0 {
				warnings = append(warnings, manage.NotCarried(element+what+">"))
			}
		}
	}
	return append(warnings, manage.FormerRoot(account)...)
}

func withoutComments(text string) string {
	before, rest, found := strings.Cut(text, "<!--")
	for found {
		_, rest, _ = strings.Cut(rest, "-->")
		var more string
		more, rest, found = strings.Cut(rest, "<!--")
		before += more
	}
	return before
}
