package kardianos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Plan implements script.Dialect. kardianos/service has no start types.
func (d dialect) Plan(_ context.Context, p *manage.Plan, _ func(bool) bool) (any, error) {
	c := d.config(p.Spec)
	if d.system == src && p.Installed {
		p.Calls = append(p.Calls, "rmssys -s "+c.Name)
	}
	if d.system == src {
		p.Calls = append(p.Calls, "kardianos/service runs mkssys -s "+c.Name+" -p "+c.Executable+" -a '"+strings.Join(c.Arguments, " ")+"'")
	}
	p.Calls = append(p.Calls, "kardianos/service writes "+d.paths(c.Name)[0])
	return nil, nil
}

// Write implements writer. kardianos/service refuses to write what exists.
func (d dialect) Write(ctx context.Context, c *files.Change, p *manage.Plan) error {
	s, name := p.Spec, p.Spec.ServiceName()
	paths := d.paths(name)
	i := slices.IndexFunc(p.Artefacts, func(a manage.Artefact) bool { return a.Name == paths[0] })
	if i >= 0 && !p.Artefacts[i].Changed() {
		return nil
	}
	k, err := d.open(d.system, d.config(s))
	if err != nil {
		return err
	}
	if d.system == src && d.Tree.Exists(paths[0]) {
		if err := d.replace(ctx, c, s); err != nil {
			return err
		}
	}
	if err := d.removeAll(c, name); err != nil {
		return err
	}
	c.Call(func() error { return d.takeBack(context.WithoutCancel(ctx), name) })
	if err := k.Install(); err != nil {
		return fmt.Errorf("kardianos/service: %w", err)
	}
	text, exists, err := d.Tree.Read(paths[0])
	if err != nil || !exists || text == "" {
		return errors.Join(fmt.Errorf("kardianos/service says that it has written %s, but it is not there, or empty", paths[0]), err)
	}
	return nil
}

// replace removes the subsystem that is there, which must not run.
func (d dialect) replace(ctx context.Context, c *files.Change, s manage.Spec) error {
	st, err := d.Status(ctx, s, "")
	if err != nil {
		return err
	}
	if st.State != service.Stopped {
		return fmt.Errorf("it is %s, and AIX changes nothing that runs: stop it first", st.State)
	}
	return d.unregister(ctx, c, s.ServiceName())
}

// takeBack removes whatever Install has made before it failed.
func (d dialect) takeBack(ctx context.Context, name string) error {
	var errs []error
	if d.system == src {
		_, err := d.Runner()(ctx, "rmssys", "-s", name)
		_ = err // it may not have come so far
	}
	for _, path := range d.paths(name) {
		if d.Tree.Exists(path) {
			errs = append(errs, os.Remove(d.Tree.Path(path)))
		}
	}
	return errors.Join(errs...)
}

// removeAll removes the links first, and then the file.
func (d dialect) removeAll(c *files.Change, name string) error {
	for _, path := range slices.Backward(d.paths(name)) {
		if err := c.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// unregister removes the subsystem, and has it made again if what follows fails.
func (d dialect) unregister(ctx context.Context, c *files.Change, name string) error {
	out, err := d.Runner()(ctx, "odmget", "-q", "subsysname="+name, "SRCsubsys")
	if err != nil {
		return err
	}
	path, args := odm(out, "path"), odm(out, "cmdargs")
	c.Call(func() error {
		_, err := d.Runner()(context.WithoutCancel(ctx), "mkssys", "-s", name, "-p", path, "-a", args, "-u", "0", "-R", "-Q", "-S", "-n", "15", "-f", "9", "-d", "-w", "30")
		return err
	})
	_, err = d.Runner()(ctx, "rmssys", "-s", name)
	return err
}

// odm reads an attribute of what odmget prints: name = "value".
func odm(out, name string) string {
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && key == name {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// Register implements script.Dialect: Write has done it.
func (dialect) Register(context.Context, *files.Change, *manage.Plan, any) error { return nil }

// Unregister implements script.Dialect. Uninstall of kardianos/service is not used: on AIX it
// fails for what does not run, and leaves the links of the runlevels.
func (d dialect) Unregister(ctx context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	if d.system == src {
		if err := d.unregister(ctx, c, s.ServiceName()); err != nil {
			return nil, err
		}
	}
	err := d.removeAll(c, s.ServiceName())
	return slices.Clone(c.Done), err
}
