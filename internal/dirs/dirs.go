// Package dirs determines where a service keeps its files on each system: in the folders
// that its manager has made and named in the environment, or in the usual places.
package dirs

import (
	"path"
	"strings"
)

// Dirs holds the folders of a service.
type Dirs struct {
	State         string // data that has to outlive the service
	Cache         string // data that can be generated again
	Logs          string
	Runtime       string // sockets and the like; removed when the machine starts, often when the service stops
	Configuration string // files that the operator writes
}

// Var pairs an environment variable with the folder that it names.
type Var struct{ Name, Dir string }

// Vars returns the environment variables that tell a service its folders. systemd sets them
// (systemd.exec(5)), and install has every other manager set them.
func (d Dirs) Vars() []Var {
	return []Var{
		{"STATE_DIRECTORY", d.State},
		{"CACHE_DIRECTORY", d.Cache},
		{"LOGS_DIRECTORY", d.Logs},
		{"RUNTIME_DIRECTORY", d.Runtime},
		{"CONFIGURATION_DIRECTORY", d.Configuration},
	}
}

// System returns the folders of a system service. getenv is only used for Windows.
func System(goos, name string, getenv func(string) string) Dirs {
	switch goos {
	case "windows":
		base := getenv("ProgramData")
		if base == "" {
			base = `C:\ProgramData`
		}
		return below(base+`\`+name, `\`)
	case "darwin":
		return Dirs{
			State:         "/Library/Application Support/" + name,
			Cache:         "/Library/Caches/" + name,
			Logs:          "/Library/Logs/" + name,
			Runtime:       "/var/run/" + name,
			Configuration: "/Library/Preferences/" + name,
		}
	case "linux":
		return Dirs{"/var/lib/" + name, "/var/cache/" + name, "/var/log/" + name, "/run/" + name, "/etc/" + name}
	case "freebsd", "dragonfly":
		return Dirs{"/var/db/" + name, "/var/cache/" + name, "/var/log/" + name, "/var/run/" + name, "/usr/local/etc/" + name}
	}
	return Dirs{"/var/lib/" + name, "/var/cache/" + name, "/var/log/" + name, "/var/run/" + name, "/etc/" + name}
}

// User returns the folders of a service of a user, or of a program that is not a service.
// home is the user's home, "" if there is none.
func User(goos, name, home, temp string, getenv func(string) string) Dirs {
	switch goos {
	case "windows":
		base := getenv("LocalAppData")
		if base == "" {
			base = temp
		}
		return below(base+`\`+name, `\`)
	case "darwin":
		if home == "" {
			return below(path.Join(temp, name), "/")
		}
		l := home + "/Library"
		return Dirs{
			State:         l + "/Application Support/" + name,
			Cache:         l + "/Caches/" + name,
			Logs:          l + "/Logs/" + name,
			Runtime:       path.Join(temp, name, "runtime"),
			Configuration: l + "/Preferences/" + name,
		}
	}
	fallback := below(path.Join(temp, name), "/")
	in := func(variable, inHome, otherwise string) string {
		if base := getenv(variable); path.IsAbs(base) {
			return path.Join(base, name)
		}
		if home == "" || inHome == "" {
			return otherwise
		}
		return path.Join(home, inHome, name)
	}
	d := Dirs{
		State:         in("XDG_STATE_HOME", ".local/state", fallback.State),
		Cache:         in("XDG_CACHE_HOME", ".cache", fallback.Cache),
		Runtime:       in("XDG_RUNTIME_DIR", "", fallback.Runtime),
		Configuration: in("XDG_CONFIG_HOME", ".config", fallback.Configuration),
	}
	d.Logs = path.Join(strings.TrimSuffix(d.State, name), "log", name) // as systemd does: $XDG_STATE_HOME/log
	if d.State == fallback.State {
		d.Logs = fallback.Logs
	}
	return d
}

func below(dir, separator string) Dirs {
	in := func(name string) string { return dir + separator + name }
	return Dirs{in("state"), in("cache"), in("logs"), in("runtime"), in("configuration")}
}

// Given returns d with the folders that the manager has named in the environment. If a
// variable names several folders, the first counts.
func (d Dirs) Given(getenv func(string) string, windows bool) Dirs {
	first := func(name, otherwise string) string {
		value := getenv(name)
		if !windows {
			value, _, _ = strings.Cut(value, ":")
		}
		if value == "" {
			return otherwise
		}
		return value
	}
	return Dirs{
		State:         first("STATE_DIRECTORY", d.State),
		Cache:         first("CACHE_DIRECTORY", d.Cache),
		Logs:          first("LOGS_DIRECTORY", d.Logs),
		Runtime:       first("RUNTIME_DIRECTORY", d.Runtime),
		Configuration: first("CONFIGURATION_DIRECTORY", d.Configuration),
	}
}
