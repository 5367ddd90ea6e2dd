//go:build unix

package script

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// bundle is what svccfg reads of a manifest.
type bundle struct {
	Name    string `xml:"name,attr"`
	Service struct {
		Name         string `xml:"name,attr"`
		Dependencies []struct {
			Name     string `xml:"name,attr"`
			Grouping string `xml:"grouping,attr"`
			FMRI     struct {
				Value string `xml:"value,attr"`
			} `xml:"service_fmri"`
		} `xml:"dependency"`
		Context struct {
			Directory  string `xml:"working_directory,attr"`
			Credential struct {
				User       string `xml:"user,attr"`
				Privileges string `xml:"privileges,attr"`
			} `xml:"method_credential"`
			Environment []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"method_environment>envvar"`
		} `xml:"method_context"`
		Methods []struct {
			Name    string `xml:"name,attr"`
			Exec    string `xml:"exec,attr"`
			Timeout int    `xml:"timeout_seconds,attr"`
		} `xml:"exec_method"`
	} `xml:"service"`
}

func parseManifest(t *testing.T, text string) bundle {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for { // all of it is well-formed
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	var b bundle
	if err := xml.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// smfFake is svccfg, svcadm, svcprop and svcs, and the repository behind them.
type smfFake struct {
	managertest.Runner
	t        *testing.T
	tree     files.Tree
	services map[string]*smfInstance // by FMRI
	ends     bool
	hups     int
}

type smfInstance struct {
	enabled  bool
	override *bool // general_ovr
	state    string
	pid      int
}

func (i *smfInstance) settle(f *smfFake) {
	on := i.enabled
	if i.override != nil {
		on = *i.override
	}
	switch {
	case i.state == "maintenance":
	case on && i.state != "online":
		i.state = "online"
		i.pid += 10
		if f.ends {
			i.state = "maintenance"
		}
	case !on:
		i.state = "disabled"
	}
}

func (f *smfFake) answer(line string) (string, error) {
	words := strings.Fields(line)
	last := words[len(words)-1]
	unknown := func() (string, error) {
		return "", managertest.Fails(line, 1, "Pattern doesn't match any entities")
	}
	switch words[0] {
	case "svccfg":
		switch words[1] {
		case "validate":
			parseManifest(f.t, managertest.Get(f.tree, strings.TrimPrefix(last, string(f.tree))))
		case "import":
			b := bundle{}
			if err := xml.Unmarshal([]byte(managertest.Get(f.tree, strings.TrimPrefix(last, string(f.tree)))), &b); err != nil {
				return "", managertest.Fails(line, 1, err.Error())
			}
			fmri := "svc:/" + b.Service.Name + ":default"
			if f.services[fmri] == nil {
				f.services[fmri] = &smfInstance{state: "disabled", pid: 100}
			}
		case "delete":
			if f.services[last+":default"] == nil {
				return unknown()
			}
			delete(f.services, last+":default")
		case "-s":
			i := f.services[words[2]]
			if i == nil {
				return unknown()
			}
			i.enabled = last == "true"
			i.settle(f)
		}
		return "", nil
	case "svcadm":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		temporary := slices.Contains(words, "-t")
		set := func(on bool) {
			if temporary {
				i.override = &on
			} else {
				i.enabled, i.override = on, nil
			}
		}
		switch words[1] {
		case "enable":
			set(true)
		case "disable":
			set(false)
			if i.state == "maintenance" {
				i.state = "disabled"
			}
		case "clear":
			i.state = "disabled"
		case "refresh":
			f.hups++
		}
		i.settle(f)
		return "", nil
	case "svcprop":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		if strings.Contains(line, "-p restarter") {
			return fmt.Sprintf("restarter/state astring %s\nrestarter/next_state astring none\nrestarter/start_pid count %d\nrestarter/state_timestamp time 1700000000.250000000\ngeneral/enabled boolean %t\n", i.state, i.pid, i.enabled), nil
		}
		return fmt.Sprintf("%t\n", i.enabled), nil
	case "svcs":
		i := f.services[last]
		if i == nil {
			return unknown()
		}
		return i.state + "\n", nil
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func newSMFDouble(t *testing.T) (*Manager, *smfFake) {
	t.Helper()
	f := &smfFake{Runner: managertest.Runner{Fail: map[string]error{}}, t: t, tree: files.Tree(t.TempDir()), services: map[string]*smfInstance{}}
	f.Answer = f.answer
	m := forTest(NewSMF(manage.Machine{Tree: f.tree, Run: f.Run}))
	m.Lookup = known
	return m, f
}
