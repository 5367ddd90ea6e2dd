package systemd

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDiagnose_NamesBadLinesOfDropIn(t *testing.T) {
	const file = "/etc/systemd/system/web.service.d/a.conf"
	const said = file + ":2: Failed to parse Type=nonsense, ignoring: Invalid argument\n" +
		"/etc/systemd/system/other.service:3: Unknown key 'X' in section [Service], ignoring.\n" +
		"web.service: Service has more than one ExecStart= setting.\n"
	for state, want := range map[string][]string{
		"loaded": {
			"1 drop-ins: " + file + " changes the installed unit -> systemctl cat web.service shows the result",
			"2 drop-in: line 2 of " + file + ": Failed to parse Type=nonsense, ignoring: Invalid argument -> fix that, then run systemctl daemon-reload",
		},
		"bad-setting": {
			"3 unit: it is bad -> systemd-analyze verify web.service shows why",
			"1 drop-ins: " + file + " changes the installed unit -> systemctl cat web.service shows the result",
			"2 drop-in: line 2 of " + file + ": Failed to parse Type=nonsense, ignoring: Invalid argument -> fix that, then run systemctl daemon-reload",
			"3 unit: Service has more than one ExecStart= setting. -> fix or remove the drop-in, then run systemctl daemon-reload",
		},
	} {
		t.Run(state, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, web())
			f.show["web.service"] = map[string]string{"LoadState": state, "LoadError": `x "it is bad"`, "DropInPaths": file}
			m.stream = func(_ context.Context, _, stderr io.Writer, name string, args ...string) error {
				if name != "systemd-analyze" || !slices.Equal(args, []string{"verify", "web.service"}) {
					t.Errorf("it calls %s %q", name, args)
				}
				_, err := io.WriteString(stderr, said)
				return err
			}
			if got := lines(m.Diagnose(t.Context(), web())); !slices.Equal(got, want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestDiagnose_SaysWhatReplacesFolder(t *testing.T) {
	for _, test := range []struct {
		dir, target string // "" is a file
		account     string
		want        []string
	}{
		{"/var/lib/web", "/srv/web", "", []string{"3 state folder: /var/lib/web is a link to /srv/web, and systemd does not follow links there (238/STATE_DIRECTORY)" +
			" -> mount that folder instead: rm /var/lib/web, and in /etc/fstab: /srv/web /var/lib/private/web none bind"}},
		{"/var/cache/web", "../big", "bin", []string{"3 cache folder: /var/cache/web is a link to /var/big, and systemd does not follow links there (239/CACHE_DIRECTORY)" +
			" -> mount that folder instead: rm /var/cache/web, and in /etc/fstab: /var/big /var/cache/web none bind"}},
		{"/var/log/web", "", "", []string{"3 log folder: /var/log/web is not a folder, and systemd does not replace it (240/LOGS_DIRECTORY) -> move it away"}},
		{"/var/lib/web", "private/web", "", nil},
	} {
		f, m := newFake(t, false)
		s := web()
		s.Account = test.account
		install(t, m, s)
		at := f.path(test.dir)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.RemoveAll(at)
		if test.target == "" {
			f.write(test.dir, "")
		} else if err := os.Symlink(test.target, at); err != nil {
			t.Fatal(err)
		}
		if got := lines(m.Diagnose(t.Context(), s)); !slices.Equal(got, test.want) {
			t.Errorf("%s: found\n%s\nwant\n%s", test.dir, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestDiagnose_NamesProcessAtSocket(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	f, m := newFake(t, false)
	s := web(onSocket)
	s.Sockets[0].Network, s.Sockets[0].Address = "tcp", address
	install(t, m, s)
	f.show["web-http.socket"] = map[string]string{"ActiveState": "failed", "Result": "resources"}
	want := address + " is in use by "
	if got := lines(m.Diagnose(t.Context(), s)); len(got) != 1 || !strings.HasPrefix(got[0], "3 socket web-http.socket: "+want) ||
		!strings.HasSuffix(got[0], "; then systemctl start web-http.socket") {
		t.Errorf("found %q", got)
	}
	f.answer = func(call string) (string, error, bool) {
		return "", refusal(1, "Job failed. See \"journalctl -xe\" for details."), strings.HasPrefix(call, "systemctl start ")
	}
	wantError(t, m.Start(t.Context(), s), nil, want)
}

func TestDiagnose_MaskThatReplacedUnit(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.show["web.service"] = map[string]string{"LoadState": "masked"}
	want := "3 unit: web.service is masked: nothing can start it -> systemctl unmask web.service"
	if got := lines(m.Diagnose(t.Context(), web())); len(got) == 0 || got[0] != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if err := os.Remove(f.path(f.unit("web.service"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", f.path(f.unit("web.service"))); err != nil {
		t.Fatal(err)
	}
	if got := lines(m.Diagnose(t.Context(), web())); len(got) == 0 || got[0] != want+", and install the service again" {
		t.Errorf("found %q", got)
	}
}
