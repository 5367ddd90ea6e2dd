package systemd

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// exposures are the units whose exposure is measured, each with its limit.
var exposures = []struct {
	name string
	most float64
}{
	{"strict-system-257", 1.2},
	{"network-system-257", 1.2},
	{"socket-system-257", 0.4},
	{"strict-system-252", 1.2},
	{"strict-system-249", 1.2},
	{"socket-system-252", 0.4},
	{"localhost-system-257", 1.0},
	{"low-ports-system-257", 1.5},
	{"template-257", 1.2},
	{"root", 1.5},
	{"below-home", 1.3},
	{"below-root", 1.3},
	{"lenient-system-257", 1.6},
	{"none-system-257", 10},
	{"strict-user-257", 10},
	{"lenient-user-257", 10},
	{"none-user-257", 10},
}

// goldenFolder copies the golden units into the machine, with the programs that they name.
func goldenFolder(t *testing.T) string {
	t.Helper()
	testbed.Require(t)
	dir := fmt.Sprintf("/opt/goldens%d", count.Add(1))
	if err := os.CopyFS(machine.Path(dir), os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/usr/local/bin/web", "/home/me/go/bin/web", "/tmp/web", "/root/bin/web"} {
		putProgram(t, "hello", p)
	}
	writeIn(t, dir+"/full-257/postgresql.service", "[Service]\nExecStart=/usr/local/bin/web\n")
	writeIn(t, dir+"/full-252/postgresql.service", "[Service]\nExecStart=/usr/local/bin/web\n")
	return dir
}

func TestUnits_PassSystemdAnalyze(t *testing.T) {
	dir := goldenFolder(t)
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units, _, err := Render(g.spec, g.version, g.spec.Executable)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"SYSTEMD_UNIT_PATH=" + dir + "/" + name + ":", "systemd-analyze"}
			if g.spec.User {
				args = append(args, "--user")
			}
			args = append(args, "--man=no", "verify")
			for _, u := range units {
				args = append(args, dir+"/"+name+"/"+instanceOf(u.Name, g.spec))
			}
			enter := machine.Run
			if g.spec.User {
				enter = machine.RunUser
			}
			out, err := enter(t.Context(), "env", args...)
			if err != nil {
				t.Fatal(err)
			}
			if out.Code != 0 || out.Stdout+out.Stderr != "" {
				t.Errorf("code %d: %s%s", out.Code, out.Stdout, out.Stderr)
			}
		})
	}
}

func exposure(t *testing.T, user bool, file string) (score float64, rating string) {
	t.Helper()
	args := []string{"security", "--no-pager", "--offline=true", file}
	enter := machine.Run
	if user {
		enter, args = machine.RunUser, append([]string{"--user"}, args...)
	}
	out, err := enter(t.Context(), "systemd-analyze", args...)
	if err != nil {
		t.Fatal(err)
	}
	// → Overall exposure level for web.service: 1.1 OK 🙂
	_, last, _ := strings.Cut(out.Stdout, "Overall exposure level for ")
	_, last, _ = strings.Cut(last, ": ")
	if _, err := fmt.Sscanf(last, "%f %s", &score, &rating); err != nil {
		t.Fatalf("%v: %s%s", err, out.Stdout, out.Stderr)
	}
	return score, rating
}

func TestUnits_ExposureIsBounded(t *testing.T) {
	dir := goldenFolder(t)
	all := goldens()
	for _, x := range exposures {
		g := all[x.name]
		score, rating := exposure(t, g.spec.User, fmt.Sprintf("%s/%s/%s", dir, x.name, instanceOf(serviceUnit(g.spec), g.spec)))
		t.Logf("%-24s %4.1f %s", x.name, score, rating)
		if score > x.most {
			t.Errorf("the exposure of %s is %.1f, want at most %.1f", x.name, score, x.most)
		}
	}
	old := oldUnit(t)
	score, rating := exposure(t, false, old.file)
	t.Logf("%-24s %4.1f %s", "kardianos/service v1.3.0", score, rating)
	out, err := machine.Run(t.Context(), "systemd-analyze", "security", "--no-pager", old.name)
	if err != nil {
		t.Fatal(err)
	}
	_, loaded, _ := strings.Cut(out.Stdout, "Overall exposure level for ")
	t.Logf("… as systemd has loaded it: %s", strings.TrimSpace(loaded))
}
