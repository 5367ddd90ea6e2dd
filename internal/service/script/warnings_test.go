package script

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// theirScript has the form of those that rc.d has; the sum is that of its commands.
const theirScript = `#!/bin/sh
# PROVIDE: web

. /etc/rc.subr

name="web"
command="/usr/sbin/daemon"
command_args="${daemon_args} /usr/local/bin/web -v \"a b\""
export A='1'
cd '/srv/web'

run_rc_command "$1"
`

func TestTheirs_NamesWhatIsNotCarriedOver(t *testing.T) {
	k := theirs{sum: 0xb37feb4a, command: "command_args", own: []string{"name", "command"}}
	same := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Arguments: []string{"-v", "a b"}, Environment: map[string]string{"A": "1"}, WorkingDirectory: "/srv/web"}}
	if got := k.lost(theirScript, same, "root"); got != nil {
		t.Errorf("all of it is there: %q", got)
	}
	const before, after = "the service that is replaced had ", ": it is not carried over"
	for name, c := range map[string]struct {
		old  string
		want []string
	}{
		"another command line": {strings.Replace(theirScript, "web -v", "web -w", 1), []string{before + `command_args="${daemon_args} /usr/local/bin/web -w \"a b\""` + after}},
		"a limit":              {theirScript + "ulimit -n 65536\n", []string{before + "ulimit -n 65536" + after}},
		"another variable":     {theirScript + "export B=2\n  LANG=C\n", []string{before + "export B=2" + after, before + "LANG=C" + after}},
		"another value":        {strings.Replace(theirScript, "A='1'", "A='2'", 1), []string{before + "export A='2'" + after}},
		"another folder":       {strings.Replace(theirScript, "/srv/web", "/srv", 1), []string{before + "cd '/srv'" + after}},
		"what else it needs":   {theirScript + "depend() {\n\tneed db\n\tuse dns\n}\n", []string{before + "need db" + after, before + "use dns" + after}},
		"a command":            {theirScript + "modprobe tun\n", []string{before + "other commands in its script than kardianos/service v1.3.0 writes there" + after}},
		"a long line":          {theirScript + "X=" + strings.Repeat("x", 300) + "\n", []string{before + "X=" + strings.Repeat("x", 198) + "…" + after}},
		"a comment":            {theirScript + "# ulimit -n 5\n", nil},
	} {
		if got := k.lost(c.old, same, "root"); !slices.Equal(got, c.want) {
			t.Errorf("%s: it says %q, want %q", name, got, c.want)
		}
	}
	if got, want := k.lost(theirScript, same, "web"), manage.FormerRoot("web"); !slices.Equal(got, want) {
		t.Errorf("of another account it says %q, want %q", got, want)
	}
	openrc := theirs{sum: 0x811c9dc5, command: "command", arguments: "command_args"}
	if got := openrc.lost("command=/usr/local/bin/web\ncommand_args=\"-v a b \"\n", same, "root"); got != nil {
		t.Errorf("arguments of their own: %q", got)
	}
	if got := openrc.lost("command=/usr/local/bin/web\ncommand_args=\"-w \"\n", same, "root"); len(got) != 1 {
		t.Errorf("other arguments of their own: %q", got)
	}
}
