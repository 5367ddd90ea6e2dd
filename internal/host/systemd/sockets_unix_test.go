//go:build unix

package systemd

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const ownPID, ownInode = 100, 7000

// pipes opens ends of pipes as n consecutive descriptors, without close-on-exec as after exec, and
// returns the first.
func pipes(t *testing.T, n int) (first int) {
	t.Helper()
	const high = 200 // far from what the runtime and other tests open
	for i := range n {
		var p [2]int
		if err := unix.Pipe(p[:]); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.FcntlInt(uintptr(p[0]), unix.F_DUPFD, high)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Close(p[0]), unix.Close(p[1])
		if i == 0 {
			first = fd
		}
		if fd != first+i {
			t.Fatalf("descriptor %d is not free", first+i)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
	}
	return first
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

func take(first int, env map[string]string) ([]string, error) {
	get := func(key string) string { return env[key] }
	sockets, err := takeSockets(get, ownPID, func() (uint64, bool) { return ownInode, true }, first)
	var names []string
	for _, s := range sockets {
		names = append(names, s.Name)
		_ = s.File.Close()
	}
	return names, err
}

func TestTakeSockets(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing":                        {nil, nil},
		"without names":                  {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "2"}, []string{"unknown", "unknown"}},
		"with names":                     {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:admin"}, []string{"http", "admin"}},
		"one name twice":                 {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:http"}, []string{"http", "http"}},
		"one":                            {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web.socket"}, []string{"web.socket"}},
		"for another process":            {map[string]string{"LISTEN_PID": "99", "LISTEN_FDS": "2"}, nil},
		"for nobody":                     {map[string]string{"LISTEN_FDS": "2"}, nil},
		"to this very process":           {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "1", "LISTEN_PIDFDID": "7000"}, []string{"unknown"}},
		"to one that has had its number": {map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "1", "LISTEN_PIDFDID": "6999"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			first := pipes(t, 2)
			got, err := take(first, test.env)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
			for i := range 2 {
				if open := isOpen(first + i); open != (i >= len(test.want)) {
					t.Errorf("the descriptor %d of it: open is %t", i, open)
				}
			}
		})
	}
}

func TestTakeSockets_RefusesMalformedVariables(t *testing.T) {
	for name, test := range map[string]struct {
		pid, fds, names, id string
		says                string
		closed              bool // taken and closed, because nothing can use them
	}{
		"a process that is none":   {"self", "2", "", "", "LISTEN_PID", false},
		"process 0":                {"0", "2", "", "", "LISTEN_PID", false},
		"a negative process":       {"-1", "2", "", "", "LISTEN_PID", false},
		"no number of descriptors": {"100", "two", "", "", "LISTEN_FDS", false},
		"no descriptors":           {"100", "0", "", "", "LISTEN_FDS", false},
		"fewer than none":          {"100", "-2", "", "", "LISTEN_FDS", false},
		"more than there can be":   {"100", "2147483647", "", "", "LISTEN_FDS", false},
		"more than there are":      {"100", "50", "", "", "descriptor", false},
		"too few names":            {"100", "2", "http", "", "LISTEN_FDNAMES", true},
		"too many names":           {"100", "2", "a:b:c", "", "LISTEN_FDNAMES", true},
		"an inode that is none":    {"100", "2", "", "x", "LISTEN_PIDFDID", false},
	} {
		t.Run(name, func(t *testing.T) {
			first := pipes(t, 2)
			got, err := take(first, map[string]string{
				"LISTEN_PID": test.pid, "LISTEN_FDS": test.fds, "LISTEN_FDNAMES": test.names, "LISTEN_PIDFDID": test.id,
			})
			if len(got) > 0 || err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, %v; want an error that says %s", got, err, test.says)
			}
			if isOpen(first) == test.closed || isOpen(first+1) == test.closed {
				t.Errorf("open: %t, %t", isOpen(first), isOpen(first+1))
			}
		})
	}
}

func TestTakeSockets_LeavesDescriptorsOfTheProcess(t *testing.T) {
	first := pipes(t, 2)
	unix.CloseOnExec(first + 1) // like a descriptor of the runtime
	got, err := take(first, map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "2"})
	if len(got) > 0 || err == nil || !isOpen(first) || !isOpen(first+1) {
		t.Errorf("got %q, %v; open: %t, %t", got, err, isOpen(first), isOpen(first+1))
	}
	if flags, _ := unix.FcntlInt(uintptr(first), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC != 0 {
		t.Error("the other one was changed")
	}
}

func TestTakeSockets_ChildrenInheritNothing(t *testing.T) {
	first := pipes(t, 1)
	env := map[string]string{"LISTEN_PID": "100", "LISTEN_FDS": "1"}
	sockets, err := takeSockets(func(key string) string { return env[key] }, ownPID, ownPidfd, first)
	if err != nil || len(sockets) != 1 {
		t.Fatalf("got %v, %v", sockets, err)
	}
	defer func() { _ = sockets[0].File.Close() }()
	if flags, err := unix.FcntlInt(uintptr(first), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

// Only the process itself knows its PID, so a shell sets the variables and then becomes the
// process, as systemd does.
func TestTakeSockets_InAChildProcess(t *testing.T) {
	const child = "TAKE_SOCKETS"
	if os.Getenv(child) != "" {
		sockets, err := TakeSockets()
		for _, s := range sockets {
			text, _ := io.ReadAll(s.File)
			fmt.Printf("%s %d %s\n", s.Name, s.File.Fd(), text)
		}
		fmt.Println(len(sockets), err, os.Getenv("LISTEN_FDS"))
		os.Exit(0)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(files int) string {
		cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run="^$1$"`, self, t.Name())
		cmd.Env = append(os.Environ(), child+"=1", "LISTEN_FDS=2", "LISTEN_FDNAMES=first:second")
		for i := range files {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			_, _ = fmt.Fprintf(w, "for %d", i)
			_ = w.Close()
			cmd.ExtraFiles = append(cmd.ExtraFiles, r)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return string(out)
	}
	if got, want := run(2), "first 3 for 0\nsecond 4 for 1\n2 <nil> \n"; got != want {
		t.Errorf("it has taken %q, want %q", got, want)
	}
	// Then the runtime's own descriptors have these numbers.
	if got := run(0); !strings.HasPrefix(got, "0 LISTEN_FDS says 2, but descriptor 3") {
		t.Errorf("it has taken %q, and nothing was handed over", got)
	}
}

func TestTakeSockets_ClearsTheEnvironment(t *testing.T) {
	for _, key := range listenVariables {
		t.Setenv(key, "1")
	}
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()+1))
	if sockets, err := TakeSockets(); len(sockets) > 0 || err != nil {
		t.Errorf("got %v, %v", sockets, err)
	}
	for _, key := range listenVariables {
		if value, ok := os.LookupEnv(key); ok {
			t.Errorf("%s=%s is left", key, value)
		}
	}
}
