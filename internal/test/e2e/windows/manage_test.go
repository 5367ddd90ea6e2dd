//go:build linux

package windows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/rpc"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	svc "github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/requests"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// installerPath is where the installer is in the machine: with spaces and letters that
// are not in ASCII, as everything about it is run from there.
const installerPath = "/srv/Prögram Files (ü)/sèrvice 服务.exe"

// placeInstaller puts the installer there.
var placeInstaller = sync.OnceValue(func() error {
	dir, err := testbed.Build(context.Background(), "windows", module+"/internal/test/e2e/windows/installer")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	exe, err := os.ReadFile(filepath.Join(dir, "installer.exe"))
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(machine.Path(installerPath)), 0o755), os.WriteFile(machine.Path(installerPath), exe, 0o755))
})

// managed is a service that the tests install.
type managed struct {
	t     *testing.T
	calls *rpc.Client // of a process of its own: Wine mixes up the handles of two connections to its manager in one
	spec  svc.Spec
	notes string // where it notes what happens, in the machine
}

func newManaged(t *testing.T) *managed {
	t.Helper()
	requireWindows(t)
	name := fmt.Sprintf("managed-%d", services.Add(1))
	notes := "/tmp/" + name
	if err := placeInstaller(); err != nil {
		t.Fatal(err)
	}
	cmd, err := machine.WineCommand(context.Background(), installerPath, "rpc")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := connect(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s := &managed{t: t, calls: calls, notes: notes, spec: svc.Spec{
		Config: service.Config{
			Executable: testbed.WindowsPath(installerPath),
			Arguments:  []string{testbed.WindowsPath(notes)},
			StartType:  service.Manual,
			Recovery:   service.Recovery{Delays: []time.Duration{time.Second}, ResetPeriod: 24 * time.Hour},
			Hardening:  service.Hardening{Profile: service.Strict},
		},
		Name:         name,
		DisplayName:  name + " on display",
		Description:  "Is tested; ü 服务.",
		Version:      "1.2.3",
		StartTimeout: time.Minute,
		StopTimeout:  30 * time.Second,
		CanPause:     true,
	}}
	t.Cleanup(func() {
		s.try("remove", func(r *requests.Request) { r.Purge = true })
		if err := calls.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// try calls the manager, by force: everything in the file system of Wine belongs to a
// user of its own, who is not Administrators.
func (s *managed) try(verb string, change ...func(*requests.Request)) (a requests.Answer) {
	s.t.Helper()
	r := requests.Request{Verb: verb, Spec: s.spec, Force: true}
	for _, c := range change {
		c(&r)
	}
	if err := s.calls.Call("Installer.Do", r, &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// do is try that must not fail.
func (s *managed) do(verb string, change ...func(*requests.Request)) requests.Answer {
	s.t.Helper()
	a := s.try(verb, change...)
	if a.Err != "" {
		s.t.Fatalf("%s: %s", verb, a.Err)
	}
	return a
}

// fails asserts an error, by what it is and what it says.
func (s *managed) fails(verb string, is error, text string) {
	s.t.Helper()
	a := s.try(verb)
	if a.Err == "" || is != nil && !slices.Contains(a.Is, is.Error()) || !strings.Contains(a.Err, text) {
		s.t.Errorf("%s: got %q, %q; want %v, %q", verb, a.Err, a.Is, is, text)
	}
}

// is asserts the state that the manager reports.
func (s *managed) is(want service.State) service.Status {
	s.t.Helper()
	got := s.do("status").Status
	if got.State != want {
		s.t.Errorf("the state is %+v, want %s", got, want)
	}
	return got
}

// await waits until the service has noted something, and forgets it.
func (s *managed) await(what string) []byte {
	s.t.Helper()
	file := machine.Path(s.notes + "." + what)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(file)
		if err == nil {
			if err := os.Remove(file); err != nil {
				s.t.Fatal(err)
			}
			return text
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("it has not %s", what)
		}
	}
}

// ran is how the service was run.
func (s *managed) ran() (r requests.Run) {
	s.t.Helper()
	if err := json.Unmarshal(s.await("started"), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// artefact is what the plan has of an artefact.
func artefact(t *testing.T, p svc.Plan, prefix string) svc.Artefact {
	t.Helper()
	for _, a := range p.Artefacts {
		if strings.HasPrefix(a.Name, prefix) {
			return a
		}
	}
	t.Fatalf("there is no %s in %+v", prefix, p.Artefacts)
	return svc.Artefact{}
}

// says runs a program of Windows and returns what it says.
func says(t *testing.T, args ...string) string {
	t.Helper()
	out, err := machine.Wine(t.Context(), args[0], args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Stdout
}
