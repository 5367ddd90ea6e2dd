//go:build unix

package onefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// statuses answers with one after the other; the last stays.
func statuses(all ...service.Status) func() (service.Status, error) {
	return func() (service.Status, error) {
		s := all[0]
		if len(all) > 1 {
			all = all[1:]
		}
		return s, nil
	}
}

func TestAServiceHasStartedWhenItHasRunForAMoment(t *testing.T) {
	starting := service.Status{State: service.Starting}
	running := func(pid int) service.Status { return service.Status{State: service.Running, PID: pid} }
	stopped := service.Status{State: service.Stopped, ExitCode: -1}
	finished := service.Status{State: service.Stopped}
	silent := service.Status{State: service.Failed, ExitCode: -1, Silent: true, Detail: "so it says"}
	for name, test := range map[string]struct {
		status func() (service.Status, error)
		want   string // of the error; "" is none
	}{
		"it runs":               {statuses(starting, starting, running(7)), ""},
		"it runs, and has gone": {statuses(running(7), running(7), stopped), "web: it has ended at once; see its log"},
		"it waits to run again": {statuses(running(7), starting), "web: it has ended at once; see its log"},
		"it has ended somehow":  {statuses(starting, silent), "it has ended at once (so it says)"},
		"it has finished":       {statuses(starting, finished), ""},
		"it has run, and ended": {statuses(running(7), finished), ""},
		"it has never been":     {statuses(stopped), "it has ended at once, or does not start at all"},
		"it runs anew":          {statuses(running(7), running(8)), "was started again"},
		"it has failed":         {statuses(starting, service.Status{State: service.Failed, ExitCode: 3, Detail: "so it says"}), "exit code 3 (so it says)"},
		"it has failed somehow": {statuses(service.Status{State: service.Failed, ExitCode: -1}), "it has failed"},
		"it never starts":       {statuses(starting), "after 30s it is still starting"},
		"it has gone":           {statuses(service.Status{State: service.NotInstalled}), "not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := Supervised(t.Context(), service.Machine{}, "web", test.status)
				if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
				if got, want := errors.Is(err, service.ErrEnded), strings.Contains(test.want, "ended at once") || strings.Contains(test.want, "started again"); got != want {
					t.Errorf("ErrEnded: %t, want %t: %v", got, want, err)
				}
				if took := time.Since(begun); name == "it runs" && took < time.Second {
					t.Errorf("after %s", took)
				}
			})
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(cause) })
		if err := Await(ctx, time.Second, time.Hour, func() (bool, error) { return false, nil }); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestMissingRightsSayWhatToDo(t *testing.T) {
	for _, err := range []error{fs.ErrPermission, errors.New("Boot-out failed: 1: Operation not permitted"), errors.New("Permission denied")} {
		got := Refused(err, "install web")
		if !errors.Is(got, service.ErrPermission) || !strings.HasPrefix(got.Error(), "install web: ") || !strings.Contains(got.Error(), "sudo") {
			t.Errorf("got %v", got)
		}
	}
	if got := Refused(errors.New("disk full"), "install web"); errors.Is(got, service.ErrPermission) || got.Error() != "install web: disk full" {
		t.Errorf("got %v", got)
	}
	if Refused(nil, "x") != nil {
		t.Error("nothing is an error")
	}
	once := fmt.Errorf("install web: %w: run it as root", service.ErrPermission)
	if got := Refused(once, "install web"); got != once {
		t.Errorf("twice: %v", got)
	}
}

func TestFoldersThatAreThereAreLeftAlone(t *testing.T) {
	tree := files.Tree(t.TempDir())
	if err := errors.Join(os.MkdirAll(tree.Path("/var/cache/web"), 0o755), os.Chmod(tree.Path("/var/cache/web"), 0o755)); err != nil {
		t.Fatal(err)
	}
	d := dirs.System("linux", "web", nil)
	given := map[string]string{}
	c := tree.Begin("web")
	err := Make(c, tree, Folders(d), Owner{900, 901}, func(p string, uid, gid int) error {
		given[strings.TrimPrefix(path.Dir(p), string(tree))] = fmt.Sprint(uid, " ", gid) // before it has its name
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{"/var/lib": "900 901", "/var/log": "900 901", "/run": "900 901", "/etc": "0 901", "/var/cache": ""} {
		if given[p] != want {
			t.Errorf("%s was given to %q, not %q", p, given[p], want)
		}
	}
	for p, want := range map[string]fs.FileMode{"/var/lib/web": 0o700, "/etc/web": 0o750, "/var/cache/web": 0o755} {
		if info, err := os.Stat(tree.Path(p)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	if err := c.Undo(); err != nil || tree.Exists("/var/lib/web") || !tree.Exists("/var/cache/web") {
		t.Errorf("%v", err)
	}
}

// shown is what lines without a time are shown as.
func shown(lines ...string) string {
	text := ""
	for _, line := range lines {
		text += "- INFO  " + line + "\n"
	}
	return text
}

func TestTheLastRecordsOfALog(t *testing.T) {
	tree := files.Tree(t.TempDir())
	long := strings.Repeat("x", 63<<10) // two of them are more than is read at once
	const stack = "goroutine 1:\n        main.f()\n            x.go:1"
	for text, wants := range map[string]map[int]string{
		"one\ntwo\nthree\n":                 {0: shown("one", "two", "three"), 1: shown("three"), 2: shown("two", "three"), 3: shown("one", "two", "three"), 9: shown("one", "two", "three")},
		"one\ntwo":                          {1: shown("two"), 2: shown("one", "two")},
		"":                                  {1: ""},
		"one\n\n\n":                         {1: shown("one")},
		"one\n" + long + "\n" + long + "\n": {1: shown(long), 2: shown(long, long)},
		"one\ngoroutine 1:\nmain.f()\n\tx.go:1\n":     {1: shown("main.f()\n        x.go:1"), 2: shown("goroutine 1:", "main.f()\n        x.go:1")},
		"one\ngoroutine 1:\n\tmain.f()\n\t\tx.go:1\n": {1: shown(stack), 2: shown("one", stack)},
		`{"level":"warn","time":"2026-11-27T10:00:00Z","logger":"web","msg":"slow","took":"2s","peer":{"ip":"::1"},"n":[1,"a b"]}` + "\n": {
			0: local("2026-11-27T10:00:00Z") + ` WARN  web: slow took=2s peer.ip=::1 n=[1, "a b"]` + "\n",
		},
	} {
		if err := os.WriteFile(tree.Path("/log"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for n, want := range wants {
			var b bytes.Buffer
			if err := Log(t.Context(), tree, "/log", service.LogQuery{Lines: n}, &b); err != nil || b.String() != want {
				t.Errorf("%.20q, the last %d: %.90q, %v, want %.90q", text, n, b.String(), err, want)
			}
		}
	}
	if err := Log(t.Context(), tree, "/none", service.LogQuery{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "there is no /none yet") {
		t.Errorf("got %v", err)
	}
}

func local(at string) string {
	t, _ := time.Parse(time.RFC3339, at)
	return t.Local().Format("2006-01-02T15:04:05.000Z07:00")
}

func TestAFileThatWasLastWrittenBeforeThatHasNothingSince(t *testing.T) {
	tree := files.Tree(t.TempDir())
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	text := "printed\n" + `{"level":"info","time":"2026-11-27T10:00:00Z","msg":"early"}` + "\nbelongs to early\n" +
		`{"level":"info","time":"2026-11-27T11:00:00Z","msg":"late"}` + "\nbelongs to late\n"
	if err := errors.Join(os.WriteFile(tree.Path("/log"), []byte(text), 0o600), os.Chtimes(tree.Path("/log"), noon, noon)); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[time.Time]string{
		noon.Add(time.Second):       "",
		noon.Add(-30 * time.Minute): "- INFO  printed\n",
		noon.Add(-time.Hour):        "- INFO  printed\n" + local("2026-11-27T11:00:00Z") + " INFO  late\n- INFO  belongs to late\n",
	} {
		var b bytes.Buffer
		if err := Log(t.Context(), tree, "/log", service.LogQuery{Since: since, Lines: 5}, &b); err != nil || b.String() != want {
			t.Errorf("since %s: %q, %v, want %q", since, b.String(), err, want)
		}
	}
}

// page is a bytes.Buffer for two goroutines.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestALogIsFollowedThroughItsRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := files.Tree(t.TempDir())
		file := tree.Path("/log")
		ctx, cancel := context.WithCancel(t.Context())
		var p page
		done := make(chan error, 1)
		go func() { done <- Log(ctx, tree, "/log", service.LogQuery{Lines: 1, Follow: true}, &p) }()
		see := func(want string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := p.String(); got != want {
				t.Errorf("it shows %q, not %q", got, want)
			}
		}
		write := func(text string, flag int) {
			t.Helper()
			f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|flag, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(text); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		see("")
		write("one\n", os.O_APPEND)
		see(shown("one"))
		write("two\n", os.O_APPEND)
		see(shown("one", "two"))
		if err := os.Rename(file, filepath.Join(string(tree), "old")); err != nil {
			t.Fatal(err)
		}
		see(shown("one", "two"))
		write("three\n", os.O_APPEND)
		see(shown("one", "two", "three"))
		write("4\n", os.O_TRUNC)
		see(shown("one", "two", "three", "4"))
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestXMLIsEscaped(t *testing.T) {
	if got := XML("<a> & \"b\" 'c'\t"); got != "&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;&#9;" {
		t.Errorf("got %s", got)
	}
	for _, s := range []string{"--", "---", "----", "a--b---c"} {
		if got := XMLComment(s); strings.Contains(got, "--") {
			t.Errorf("%s: %s", s, got)
		}
	}
}

func TestSecondsAreRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, time.Minute: 60} {
		if got := Seconds(d, 1); got != want {
			t.Errorf("%s: %d", d, got)
		}
	}
}

func TestPathsThatNobodyMakesWritableAreAWarning(t *testing.T) {
	s := service.Spec{Hardening: service.Hardening{Profile: service.None, WritablePaths: []string{"/srv/a", "/srv/b"}}, Recovery: service.Recovery{Never: true}}
	for account, want := range map[string]string{"": "Hardening.WritablePaths: It gives the account of the service no rights to /srv/a, /srv/b; see that it has them", "www": ""} {
		s.Account = account
		if got := strings.Join(Lacks("It", s), "\n"); got != want {
			t.Errorf("%q: %q", account, got)
		}
	}
}

// stopping is a manager whose service takes longer to stop than anybody waits.
type stopping struct {
	service.Manager
	started bool
}

func (*stopping) Stop(ctx context.Context, _ service.Spec) error { return ctx.Err() }

func (m *stopping) Start(context.Context, service.Spec) error {
	m.started = true
	return nil
}

func TestARestartThatIsNotWaitedForSaysThatTheServiceWasAskedToStop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := &stopping{}
	if err := Restart(ctx, m, service.Spec{}); err != nil || !m.started {
		t.Errorf("got %v", err)
	}
	cancel()
	m.started = false
	if err := Restart(ctx, m, service.Spec{}); !errors.Is(err, service.ErrAsked) || !errors.Is(err, context.Canceled) || m.started {
		t.Errorf("got %v", err)
	}
}
