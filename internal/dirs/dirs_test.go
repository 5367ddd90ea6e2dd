package dirs

import "testing"

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestSystem(t *testing.T) {
	for goos, want := range map[string]Dirs{
		"linux":   {"/var/lib/web", "/var/cache/web", "/var/log/web", "/run/web", "/etc/web"},
		"freebsd": {"/var/db/web", "/var/cache/web", "/var/log/web", "/var/run/web", "/usr/local/etc/web"},
		"solaris": {"/var/lib/web", "/var/cache/web", "/var/log/web", "/var/run/web", "/etc/web"},
		"darwin":  {"/Library/Application Support/web", "/Library/Caches/web", "/Library/Logs/web", "/var/run/web", "/Library/Preferences/web"},
		"windows": {`D:\Data\web\state`, `D:\Data\web\cache`, `D:\Data\web\logs`, `D:\Data\web\runtime`, `D:\Data\web\configuration`},
	} {
		t.Run(goos, func(t *testing.T) {
			if got := System(goos, "web", env(map[string]string{"ProgramData": `D:\Data`})); got != want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestUser(t *testing.T) {
	for name, test := range map[string]struct {
		goos, home string
		vars       map[string]string
		want       Dirs
	}{
		"plain": {"linux", "/home/a", nil, Dirs{
			"/home/a/.local/state/web", "/home/a/.cache/web", "/home/a/.local/state/log/web", "/tmp/web/runtime", "/home/a/.config/web",
		}},
		"as the environment says": {"linux", "/home/a", map[string]string{
			"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c", "XDG_RUNTIME_DIR": "/run/user/1", "XDG_CONFIG_HOME": "relative",
		}, Dirs{"/s/web", "/c/web", "/s/log/web", "/run/user/1/web", "/home/a/.config/web"}},
		"without a home": {"linux", "", nil, Dirs{
			"/tmp/web/state", "/tmp/web/cache", "/tmp/web/logs", "/tmp/web/runtime", "/tmp/web/configuration",
		}},
		"macOS": {"darwin", "/Users/a", nil, Dirs{
			"/Users/a/Library/Application Support/web", "/Users/a/Library/Caches/web", "/Users/a/Library/Logs/web", "/tmp/web/runtime", "/Users/a/Library/Preferences/web",
		}},
		"Windows": {"windows", "", map[string]string{"LocalAppData": `C:\L`}, Dirs{
			`C:\L\web\state`, `C:\L\web\cache`, `C:\L\web\logs`, `C:\L\web\runtime`, `C:\L\web\configuration`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := User(test.goos, "web", test.home, "/tmp", env(test.vars)); got != test.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSystem_InstanceIsBelowItsTemplate(t *testing.T) {
	got := User("linux", "web/a", "/home/a", "/tmp", env(nil))
	want := Dirs{"/home/a/.local/state/web/a", "/home/a/.cache/web/a", "/home/a/.local/state/log/web/a", "/tmp/web/a/runtime", "/home/a/.config/web/a"}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestGiven(t *testing.T) {
	vars := map[string]string{"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "LOGS_DIRECTORY": "/l"}
	got := Dirs{"s", "c", "l", "r", "e"}.Given(env(vars), false)
	if want := (Dirs{"/var/lib/a", "c", "/l", "r", "e"}); got != want {
		t.Errorf("got %+v", got)
	}
	got = Dirs{}.Given(env(map[string]string{"STATE_DIRECTORY": `C:\a`}), true)
	if got.State != `C:\a` {
		t.Errorf("got %+v", got)
	}
}
