package systemd

import (
	"io"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/listens"
	quote "github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// complaint matches what systemd-analyze says about a line of a file.
var complaint = regexp.MustCompile(`^(/[^:]+):([0-9]+): (.+)$`)

// verifyUnit makes systemd-analyze read the unit with its drop-ins, and adds what it reports.
// Lines that systemd ignores are only warnings, because the unit works without them.
func (d *diagnosis) verifyUnit(name string, loaded bool) {
	args := []string{"verify", name}
	if d.user {
		args = []string{"--user", "verify", name}
	}
	var said strings.Builder
	_ = d.stream(d.ctx, io.Discard, &said, "systemd-analyze", args...) // it may fail, or not be installed
	dir, err := d.unitFolder()
	if err != nil {
		return
	}
	for line := range strings.Lines(said.String()) {
		line = strings.TrimSpace(line)
		if m := complaint.FindStringSubmatch(line); m != nil && d.isUnitFile(dir, m[1]) {
			d.add(manage.Warning, "drop-in", "line "+m[2]+" of "+m[1]+": "+m[3], "fix that, then run "+d.systemctlLine("daemon-reload"))
		} else if text, ok := strings.CutPrefix(line, name+": "); ok && !loaded {
			d.add(manage.Problem, "unit", text, "fix or remove the drop-in, then run "+d.systemctlLine("daemon-reload"))
		}
	}
}

// isUnitFile reports whether file is the unit or one of its drop-ins.
func (d *diagnosis) isUnitFile(dir, file string) bool {
	own := path.Base(path.Dir(file))
	return file == path.Join(dir, serviceUnit(d.spec)) || own == serviceUnit(d.spec)+".d" || own == unitName(d.spec)+".d"
}

// socketTaken says which process listens at the address of a socket unit, or "".
func (d *diagnosis) socketTaken(id string) string {
	for _, k := range d.spec.Sockets {
		if instanceOf(socketUnit(d.spec, k), d.spec) == id {
			return addressTaken(k)
		}
	}
	return ""
}

// addressTaken says which process listens at the address of k, or "" if none is known.
func addressTaken(k service.Socket) string {
	if who := listens.Who(k.Network, k.Address); who != "" {
		return k.Address + " is in use by " + who
	}
	return ""
}

// diagnoseEnvironmentFiles checks that the files with variables exist.
func (d *diagnosis) diagnoseEnvironmentFiles(u properties) {
	level := manage.Problem
	if u.state() == service.Running {
		level = manage.Warning // until its next start
	}
	for _, file := range d.missingFiles(u) {
		d.add(level, "environment file", "there is no "+file+", and systemd does not start the service without it (EnvironmentFile=)",
			"create it, or put - before the path where it is set; "+d.systemctlLine("cat", unitName(d.spec))+" shows where that is")
	}
}

// diagnoseFolders checks that nothing stands in the way of the service's folders. systemd
// creates them itself, and follows no links of others.
func (d *diagnosis) diagnoseFolders() {
	if d.user {
		return
	}
	name := d.spec.Name
	if d.spec.Template {
		name += "/" + d.spec.Instance
	}
	for _, f := range []struct{ kind, parent, step string }{
		{"state", "/var/lib", "238/STATE_DIRECTORY"},
		{"cache", "/var/cache", "239/CACHE_DIRECTORY"},
		{"log", "/var/log", "240/LOGS_DIRECTORY"},
		{"runtime", "/run", "233/RUNTIME_DIRECTORY"},
	} {
		dir := path.Join(f.parent, name)
		info, err := os.Lstat(d.machine.Tree.Path(dir))
		if err != nil || info.IsDir() {
			continue
		}
		target := d.machine.Tree.Link(dir)
		switch {
		case target == "":
			d.add(manage.Problem, f.kind+" folder", dir+" is not a folder, and systemd does not replace it ("+f.step+")", "move it away")
		case strings.Contains("/"+target, "/private/"): // the folder of a dynamic user
		default:
			if !path.IsAbs(target) {
				target = path.Join(path.Dir(dir), target)
			}
			d.add(manage.Problem, f.kind+" folder", dir+" is a link to "+target+", and systemd does not follow links there ("+f.step+")",
				"mount that folder instead: "+manage.Sudo()+"rm "+quote.Quote(dir)+", and in /etc/fstab: "+target+" "+d.realFolder(dir, f.parent)+" none bind")
		}
	}
}

// realFolder returns where systemd really keeps a folder of the service.
func (d *diagnosis) realFolder(dir, parent string) string {
	if d.spec.Account != "" || parent == "/run" {
		return dir
	}
	return parent + "/private" + strings.TrimPrefix(dir, parent)
}
