//go:build unix

package script

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// launchdFake is launchctl and the launchd behind it, as far as the manager needs them: a job
// that is booted out drains, and what comes in the meantime is refused.
type launchdFake struct {
	managertest.Runner
	tree     files.Tree
	drains   time.Duration // how long a job takes to stop
	exits    int           // the code with which the program ends at once; -1 if it runs
	loaded   map[string]*launchdFakeJob
	disabled map[string]bool
	hups     int
	pids     int
	noGUI    bool
}

type launchdFakeJob struct {
	plist       map[string]any
	pid, runs   int
	code        int
	gone        time.Time // when it has drained
	begun       time.Time
	scheduled   bool
	terminating bool
}

func (f *launchdFake) answer(line string) (string, error) {
	words := strings.Fields(line)
	fails := func(code int, said string) (string, error) { return "", managertest.Fails(line, code, said) }
	if words[0] == "ps" {
		return "01:05\n", nil
	}
	target := words[len(words)-1]
	j := f.loaded[target]
	if j != nil && j.terminating && !time.Now().Before(j.gone) {
		delete(f.loaded, target)
		j = nil
	}
	switch words[1] {
	case "print":
		if strings.Count(target, "/") == 0 || strings.HasPrefix(target, "gui/") && strings.Count(target, "/") == 1 {
			if f.noGUI {
				return fails(112, "Could not find domain for user gui: 501")
			}
			return target + " = {\n}\n", nil
		}
		if j == nil {
			return fails(113, "Could not find service in domain for system")
		}
		return j.print(target), nil
	case "print-disabled":
		out := "\tdisabled services = {\n"
		for name, d := range f.disabled {
			word := "enabled"
			if d {
				word = "disabled"
			}
			out += fmt.Sprintf("\t\t%q => %s\n", name, word)
		}
		return out + "\t}\n", nil
	case "enable", "disable":
		f.disabled[target[strings.LastIndex(target, "/")+1:]] = words[1] == "disable"
		return "", nil
	case "bootstrap":
		text, err := os.ReadFile(target)
		if err != nil {
			return fails(2, err.Error())
		}
		plist, err := decodePlist(string(text))
		if err != nil {
			return fails(5, "Bootstrap failed: 5: Input/output error")
		}
		label := plist["Label"].(string)
		target = words[2] + "/" + label
		if j := f.loaded[target]; j != nil {
			if j.terminating && !time.Now().Before(j.gone) {
				delete(f.loaded, target)
			} else {
				return fails(5, "Bootstrap failed: 5: Input/output error")
			}
		}
		if f.disabled[label] {
			return fails(119, "Bootstrap failed: 119: Service is disabled")
		}
		j = &launchdFakeJob{plist: plist, code: -1}
		f.loaded[target] = j
		if keep, ok := plist["KeepAlive"].(map[string]any); plist["RunAtLoad"] == true || ok && keep["SuccessfulExit"] == false {
			f.spawn(j)
		}
		return "", nil
	case "kickstart":
		if j == nil {
			return fails(113, "Could not find service")
		}
		f.spawn(j)
		return "", nil
	case "bootout":
		if j == nil {
			return fails(3, "Boot-out failed: 3: No such process")
		}
		if j.terminating {
			return fails(36, "Boot-out failed: 36: Operation now in progress")
		}
		j.terminating = true
		j.gone = time.Now()
		if j.pid != 0 {
			j.gone = j.gone.Add(f.drains)
			return fails(36, "Boot-out failed: 36: Operation now in progress")
		}
		return "", nil
	case "kill":
		f.hups++
		return "", nil
	}
	return fails(64, "unrecognized subcommand")
}

func (f *launchdFake) spawn(j *launchdFakeJob) {
	f.pids++
	j.runs++
	j.pid, j.begun = f.pids, time.Now()
	if f.exits >= 0 {
		j.pid, j.code, j.scheduled = 0, f.exits, f.exits != 0
	}
}

func (j *launchdFakeJob) print(target string) string {
	state, pid, code := "not running", "", "(never exited)"
	switch {
	case j.terminating:
		state = "SIGTERMed"
	case j.pid != 0:
		state = "running"
	case j.scheduled:
		state = "spawn scheduled"
	}
	if j.pid != 0 {
		pid = fmt.Sprintf("\tpid = %d\n", j.pid)
	}
	if j.code >= 0 {
		code = strconv.Itoa(j.code)
		if j.code == 78 {
			code = "78: EX_CONFIG"
		}
	}
	return fmt.Sprintf("%s = {\n\tactive count = 1\n\tstate = %s\n\n\tendpoints = {\n\t\tstate = active\n\t\tpid = 7\n\t}\n%s\truns = %d\n\tlast exit code = %s\n\tjob state = exited\n}\n",
		target, state, pid, j.runs, code)
}

// decodePlist reads a property list as launchd would: strictly.
func decodePlist(text string) (map[string]any, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	next := func() (xml.Token, error) {
		for {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			switch t := t.(type) {
			case xml.CharData:
				if strings.TrimSpace(string(t)) == "" {
					continue
				}
			case xml.ProcInst, xml.Directive, xml.Comment:
				continue
			}
			return t, nil
		}
	}
	var value func(xml.StartElement) (any, error)
	value = func(e xml.StartElement) (any, error) {
		switch name := e.Name.Local; name {
		case "string", "integer", "key":
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				return nil, err
			}
			if name == "integer" {
				return strconv.Atoi(s)
			}
			return s, nil
		case "true", "false":
			return name == "true", d.Skip()
		case "array":
			list := []any{}
			for {
				t, err := next()
				if err != nil {
					return nil, err
				}
				e, ok := t.(xml.StartElement)
				if !ok {
					return list, nil
				}
				v, err := value(e)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
		case "dict":
			dict := map[string]any{}
			for {
				t, err := next()
				if err != nil {
					return nil, err
				}
				e, ok := t.(xml.StartElement)
				if !ok {
					return dict, nil
				}
				if e.Name.Local != "key" {
					return nil, fmt.Errorf("<%s> where a key is wanted", e.Name.Local)
				}
				k, err := value(e)
				if err != nil {
					return nil, err
				}
				if _, twice := dict[k.(string)]; twice {
					return nil, fmt.Errorf("the key %s twice", k)
				}
				if t, err = next(); err != nil {
					return nil, err
				}
				e, ok = t.(xml.StartElement)
				if !ok {
					return nil, fmt.Errorf("the key %s without a value", k)
				}
				if dict[k.(string)], err = value(e); err != nil {
					return nil, err
				}
			}
		default:
			return nil, fmt.Errorf("<%s> is no element of a property list", name)
		}
	}
	t, err := next()
	if err != nil {
		return nil, err
	}
	if e, ok := t.(xml.StartElement); !ok || e.Name.Local != "plist" {
		return nil, fmt.Errorf("it begins with %v", t)
	}
	if t, err = next(); err != nil {
		return nil, err
	}
	e, ok := t.(xml.StartElement)
	if !ok {
		return nil, fmt.Errorf("there is nothing in it")
	}
	v, err := value(e)
	if err != nil {
		return nil, err
	}
	for err == nil {
		_, err = next()
	}
	if err != io.EOF {
		return nil, err
	}
	dict, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is no dictionary")
	}
	return dict, nil
}

// newLaunchdDouble is a manager on a machine of its own, of agents if there is a user.
func newLaunchdDouble(t *testing.T, uid int, home string) (*Manager, *launchdFake) {
	t.Helper()
	f := &launchdFake{
		Runner: managertest.Runner{Fail: map[string]error{}}, tree: files.Tree(t.TempDir()),
		exits: -1, loaded: map[string]*launchdFakeJob{}, disabled: map[string]bool{}, pids: 100,
	}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/usr/local/bin/web", "")
	user := uid != 0 || home == ""
	m := forTest(newLaunchd(launchd{
		host: host{manage.Machine{Tree: f.tree, Run: f.Run}}, user: user, uid: uid, home: home, temp: "/tmp",
		getenv: func(string) string { return "" },
	}))
	m.UID, m.Lookup = uid, known
	return m, f
}
