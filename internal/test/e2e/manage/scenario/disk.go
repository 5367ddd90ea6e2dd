//go:build linux

package scenario

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// most is more pages and more files than any installation needs in one folder.
const most = 16

// fullDisk lets each folder get full after ever more of an installation: nothing may be
// left of it until it fits.
func fullDisk(t *testing.T, b Bed) {
	for _, folder := range b.Tight() {
		t.Run(folder, func(t *testing.T) {
			s := New(t, b, manyFiles(b))
			s.fits(folder, func() bool {
				before := s.Traces()
				out := s.Run(Admin, "install")
				if out.Code == 0 {
					s.Is(Installed)
					s.Do(0, "uninstall", "--purge")
					s.Same(before)
					return true
				}
				s.complains(out.Code, out.Stdout+out.Stderr)
				s.Same(before)
				s.Is(Absent)
				return false
			})
		})
	}
}

// manyFiles is a service that needs more than one file, where there are such.
func manyFiles(b Bed) talk.Setup {
	setup := talk.Setup{Name: NewName()}
	if b.Can().Sockets {
		setup.Sockets = []talk.Socket{
			{Name: "one", Network: "unix", Address: "/run/" + setup.Name + ".one"},
			{Name: "other", Network: "unix", Address: "/run/" + setup.Name + ".other"},
		}
	}
	return setup
}

// fits lets a folder have ever more room until done says that it was enough. It must
// have failed at least once.
func (s *Service) fits(folder string, done func() bool) {
	s.t.Helper()
	failed := false
	for _, room := range []func(int) (pages, files int){
		func(n int) (int, int) { return n, most },
		func(n int) (int, int) { return 1000, n },
	} {
		for n := 0; ; n++ {
			if n == most {
				s.t.Fatalf("it does not fit into %s", folder)
			}
			pages, files := room(n)
			enough := func() bool {
				defer s.bed.Limit(s.t, folder, pages, files)()
				return done()
			}()
			if enough {
				s.t.Logf("%s: with room for %d pages and %d files it fits", folder, pages, files)
				break
			}
			failed = true
		}
	}
	if !failed {
		s.t.Errorf("nothing is written into %s", folder)
	}
}

func (s *Service) complains(code int, said string) {
	s.t.Helper()
	// The tools of the manager may have complained as well.
	why := slices.DeleteFunc(lines(said), func(l string) bool { return strings.HasPrefix(l, "note: ") })
	// Windows cannot tell a disk that is read-only from missing rights.
	if code != 1 && code != 4 || len(why) != 1 {
		s.t.Errorf("code %d: %q; want 1, and one line with why", code, said)
	}
}

func fullDiskAtUpdate(t *testing.T, b Bed) {
	for _, folder := range b.Tight() {
		t.Run(folder, func(t *testing.T) {
			s := New(t, b, talk.Setup{})
			s.Do(0, "install", "--now")
			defer s.Do(0, "uninstall", "--purge")
			lift := b.Limit(t, folder, 0, 0)
			there, running, old := s.Traces(), s.Runs(), s.Args
			s.Args = []string{"-word", strings.Repeat("long ", 2000)}
			out := s.Run(Admin, "install")
			if out.Code != 0 {
				s.complains(out.Code, out.Stdout+out.Stderr)
				s.Same(there)
				s.Args = old
			}
			if now := s.Runs(); now.PID != running.PID {
				t.Error("the update has restarted the service")
			}
			lift()
			s.Do(0, "restart")
			s.Runs()
			s.Got()
		})
	}
}

func readOnly(t *testing.T, b Bed) {
	for _, folder := range b.Tight() {
		t.Run(folder, func(t *testing.T) {
			s := New(t, b, talk.Setup{})
			lift := b.Limit(t, folder, -1, 0)
			before := s.Traces()
			out := s.Run(Admin, "install")
			s.complains(out.Code, out.Stdout+out.Stderr)
			s.Same(before)
			s.Is(Absent)
			lift()
			s.Do(0, "install", "--now")
			s.Runs()
			there := s.Traces()
			s.Args = []string{"-quiet"}
			lift = b.Limit(t, folder, -1, 0)
			out = s.Run(Admin, "install")
			if out.Code != 0 { // not all folders have to change
				s.complains(out.Code, out.Stdout+out.Stderr)
				s.Same(there)
				s.Args = nil
			}
			lift()
			s.Do(0, "restart")
			s.Runs()
			s.Got()

			lift = b.Limit(t, folder, -1, 0)
			out = s.Run(Admin, "uninstall")
			lift()
			if out.Code != 0 {
				s.complains(out.Code, out.Stdout+out.Stderr)
				s.Do(0, "start") // it is still there, whether it was stopped or not
				s.Runs()
				s.Do(0, "uninstall")
			}
			s.isGone()
		})
	}
}

// limit puts a file system in memory where a folder is once it has its limits.
const limit = `set -e
mkdir "$2"
mount -t tmpfs -o mode=755 tmpfs "$2"
cp -a "$1/." "$2/"
echo >"$2/.filler"
used=$(df --output=used -B4096 "$2" | tail -n 1)
iused=$(df --output=iused "$2" | tail -n 1)
if [ "$3" = -1 ]; then
	mount -o remount,ro "$2"
else
	mount -o "remount,size=$(( (used + $3) * 4096 )),nr_inodes=$((iused + $4))" "$2"
fi
mount --bind "$2" "$1"
`

// Limit is [Bed].Limit for a machine. settled, if not nil, is called when the folder has
// become another.
func Limit(t testing.TB, machine *testbed.Machine, folder string, pages, files int, settled func()) (lift func()) {
	t.Helper()
	memory := "/run/limit-" + NewName()
	shell := func(script string, args ...string) {
		t.Helper()
		ctx, cancel := Lasting(t)
		defer cancel()
		out, err := machine.Run(ctx, "sh", append([]string{"-c", script, "sh"}, args...)...)
		if err != nil || out.Code != 0 {
			t.Fatalf("limit %s: %v: %s", folder, err, out.Stderr)
		}
		if settled != nil {
			settled()
		}
	}
	lifted := false
	lift = func() {
		if !lifted {
			lifted = true
			shell(`umount "$1" && umount "$2" && rmdir "$2"`, folder, memory)
		}
	}
	t.Cleanup(lift)
	shell(limit, folder, memory, strconv.Itoa(pages), strconv.Itoa(files))
	return lift
}
