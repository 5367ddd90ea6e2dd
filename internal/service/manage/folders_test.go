package manage

import (
	"os"
	"runtime"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
)

// somewhere is a manager that has its own place for folders.
type somewhere struct{ Manager }

func (somewhere) Folders(s Spec) dirs.Dirs { return dirs.Dirs{State: "/srv/" + s.Name} }

func TestTheFoldersAreWhereTheManagerHasThem(t *testing.T) {
	s := Spec{Config: service.Config{Template: true, Instance: "a"}, Name: "web"}
	if got := Folders(somewhere{}, s).State; got != "/srv/web" {
		t.Errorf("one that says so: %s", got)
	}
	if got, want := Folders(struct{ Manager }{}, s), dirs.System(runtime.GOOS, "web@a", os.Getenv); got != want {
		t.Errorf("one that does not: %+v, want %+v", got, want)
	}
}
