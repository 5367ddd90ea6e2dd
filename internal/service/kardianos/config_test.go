package kardianos

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestLost(t *testing.T) {
	text, err := os.ReadFile("testdata/kardianos.conf")
	if err != nil {
		t.Fatal(err)
	}
	s := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Account: "root"}, Name: "web"}
	if got := lost(string(text), s, s.Account); got != nil {
		t.Errorf("as it was: %q", got)
	}
	s.Account = "bob"
	if got, want := lost(string(text), s, s.Account), manage.FormerRoot("bob"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old := strings.NewReplacer("bin/web\nend", "bin/web \"-v\" >> $stdout_log 2>> $stderr_log\nend", "respawn\n", "limit nofile 9 9\nchdir /srv\nsetuid bob\nrespawn\n").Replace(string(text))
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want := []string{before + "limit nofile 9 9" + after, before + "chdir /srv" + after, before + "exec /usr/local/bin/web \"-v\" >> $stdout_log 2>> $stderr_log" + after}
	if got := lost(old, s, s.Account); !slices.Equal(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
	s.Arguments, s.WorkingDirectory = []string{"-v"}, "/srv"
	if got := lost(old, s, s.Account); !slices.Equal(got, want[:1]) {
		t.Errorf("with all of it: %q", got)
	}
	if got, ok := (dialect{system: src}).Replaced("#!/bin/ksh\n", s, s.Account); got != nil || ok {
		t.Errorf("of AIX: %q", got)
	}
}
