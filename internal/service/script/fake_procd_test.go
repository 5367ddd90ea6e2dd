//go:build unix

package script

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// procdFake is OpenWrt.
type procdFake struct {
	managertest.Runner
	tree    files.Tree
	running bool
	code    int
	ends    bool
	until   time.Time // it stops then
	takes   time.Duration
	pid     int
	hups    int
}

const procdPasswd = "root:x:0:0:root:/root:/bin/ash\nnobody:*:65534:65534:nobody:/var:/bin/false\nwww:x:80:80:www:/:/bin/false\n"

func (f *procdFake) answer(line string) (string, error) {
	words := strings.Fields(line)
	if !f.until.IsZero() && !time.Now().Before(f.until) {
		f.running, f.until = false, time.Time{}
	}
	switch words[0] {
	case "ubus":
		switch {
		case f.running:
			return fmt.Sprintf(`{"web":{"instances":{"instance1":{"running":true,"pid":%d,"command":["/usr/local/bin/web"],"term_timeout":35}}}}`, f.pid), nil
		case f.code != 0:
			return fmt.Sprintf(`{"web":{"instances":{"instance1":{"running":false,"exit_code":%d,"term_timeout":35}}}}`, f.code), nil
		}
		return "{\n\n}\n", nil
	case f.tree.Path("/etc/init.d/web"):
		switch words[1] {
		case "start":
			f.pid++
			f.running, f.until = !f.ends, time.Time{}
			if f.ends {
				f.code = 3
			}
		case "stop":
			f.code = 0
			if f.running {
				f.until = time.Now().Add(f.takes)
			}
		case "reload":
			f.hups++
		}
		return "", nil
	case "useradd", "pw", "addgroup", "userdel", "deluser", "getent":
		return "", fmt.Errorf("%s: %w", line, exec.ErrNotFound)
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func newProcdDouble(t *testing.T) (*Manager, *procdFake) {
	t.Helper()
	f := &procdFake{Runner: managertest.Runner{Fail: map[string]error{}}, tree: files.Tree(t.TempDir()), pid: 100}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/etc/passwd", procdPasswd)
	managertest.Put(t, f.tree, "/etc/group", "root:x:0:\nnogroup:x:65534:\n")
	return forTest(NewProcd(manage.Machine{Tree: f.tree, Run: f.Run})), f
}
