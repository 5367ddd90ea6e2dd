//go:build unix

package script

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// rcdFake is what the manager runs on FreeBSD.
type rcdFake struct {
	managertest.Runner
	tree    files.Tree
	rc      map[string]string
	running bool
	ends    bool // the program ends at once
	hups    int
	pid     int
}

const rcdPasswd = "root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:80:80:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n"

func (f *rcdFake) answer(line string) (string, error) {
	words := strings.Fields(line)
	switch words[0] {
	case "sysrc":
		last := words[len(words)-1]
		name, value, set := strings.Cut(last, "=")
		switch {
		case set:
			f.rc[name] = value
		case strings.Contains(line, "-x"):
			delete(f.rc, name)
		case f.rc[name] != "":
			return f.rc[name] + "\n", nil
		}
		return "", nil
	case "ps":
		out := "    1     3-01:02:03 /sbin/init\n"
		if f.running {
			out += fmt.Sprintf("  %d   01:05 daemon: web[%d] (daemon)\n", f.pid-1, f.pid)
			if !f.ends {
				out += fmt.Sprintf("  %d   01:05 /usr/local/bin/web -v\n", f.pid)
			}
		}
		return out, nil
	case "service":
		switch words[2] {
		case "onestart":
			f.running = true
			f.pid += 10
		case "onestop":
			f.running = false
		case "onereload":
			f.hups++
		}
		return "", nil
	case "useradd", "userdel", "getent", "groupdel":
		return "", fmt.Errorf("%s: %w", line, exec.ErrNotFound)
	case "pw":
		text, _, _ := f.tree.Read("/etc/passwd")
		switch words[1] {
		case "useradd":
			c := strings.Index(line, "-c ")
			d := strings.Index(line, " -d ")
			return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(text+words[3]+":*:900:900:"+line[c+3:d]+":/nonexistent:/usr/sbin/nologin\n"), 0o644)
		case "userdel":
			return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(rcdPasswd), 0o644)
		}
		return "", nil
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func newRCDDouble(t *testing.T) (*Manager, *rcdFake) {
	t.Helper()
	f := &rcdFake{Runner: managertest.Runner{Fail: map[string]error{}}, tree: files.Tree(t.TempDir()), rc: map[string]string{}, pid: 100}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/etc/passwd", rcdPasswd)
	managertest.Put(t, f.tree, "/etc/group", "wheel:*:0:\n")
	return forTest(NewRCD(manage.Machine{Tree: f.tree, Run: f.Run})), f
}
