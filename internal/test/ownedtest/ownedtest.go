// Package ownedtest asserts that a manager leaves alone what does not belong to a service.
package ownedtest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// bed is a manager of a tree, with a service that is not installed.
type bed struct {
	t    *testing.T
	m    manage.Manager
	s    manage.Spec
	tree files.Tree
	dirs dirs.Dirs
}

// Run installs and removes s, which is not installed, where folders of its name are of
// somebody else, and where they are its own. dirs are its folders; of those that the
// manager itself makes when the service starts, Run makes what the service would find.
func Run(t *testing.T, m manage.Manager, s manage.Spec, tree files.Tree, d dirs.Dirs) {
	t.Helper()
	b := bed{t, m, s, tree, d}
	b.foreign()
	b.configuration()
	b.later()
	b.replaced()
	b.earlier()
}

func (b bed) write(p string) {
	b.t.Helper()
	file := b.tree.Path(p)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("theirs"), 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

func (b bed) clear(p string) {
	b.t.Helper()
	if err := os.RemoveAll(b.tree.Path(p)); err != nil {
		b.t.Fatal(err)
	}
}

// paths are all that there is, without folders that are only on the way.
func (b bed) paths() (all []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.tree.Path("/"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && (!d.IsDir() || strings.Contains(p, b.s.Name)) {
			all = append(all, strings.TrimPrefix(p, string(b.tree)))
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func (b bed) install(force bool) *manage.Plan {
	b.t.Helper()
	p, err := b.m.Plan(b.t.Context(), b.s, force)
	if err == nil {
		err = b.m.Apply(b.t.Context(), p)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b bed) remove(purge bool) []string {
	b.t.Helper()
	removed, err := b.m.Remove(b.t.Context(), b.s, purge)
	if err != nil {
		b.t.Fatal(err)
	}
	return removed
}

func (b bed) foreign() {
	b.t.Helper()
	for _, dir := range []string{b.dirs.State, b.dirs.Cache, b.dirs.Logs} {
		b.write(dir + "/precious")
		before := b.paths()
		for _, purge := range []bool{false, true} {
			if _, err := b.m.Remove(b.t.Context(), b.s, purge); !errors.Is(err, service.ErrNotInstalled) {
				b.t.Errorf("it is not installed, and uninstall says %v", err)
			}
		}
		if after := b.paths(); !slices.Equal(after, before) {
			b.t.Errorf("uninstall of nothing has made of %q %q", before, after)
		}
		_, err := b.m.Plan(b.t.Context(), b.s, false)
		if !errors.Is(err, service.ErrForeign) || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
			b.t.Errorf("%s is of somebody else, and the plan fails with %v", dir, err)
		}
		p := b.install(true)
		if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.HasPrefix(w, dir+" was there before") }) {
			b.t.Errorf("%s: it warns of %q", dir, p.Warnings)
		}
		b.install(false) // it is installed: nothing is new
		if removed := b.remove(true); slices.Contains(removed, dir) {
			b.t.Errorf("purge has removed %s", dir)
		}
		if after := b.paths(); !slices.Equal(after, before) {
			b.t.Errorf("%s: there was %q, and is %q", dir, before, after)
		}
		b.clear(dir)
	}
}

func (b bed) configuration() {
	b.t.Helper()
	file := b.dirs.Configuration + "/settings"
	b.write(file)
	before := b.paths()
	p := b.install(false)
	if want := b.dirs.Configuration + " was there before: it is used as it is, and uninstall --purge does not remove it"; !slices.Contains(p.Warnings, want) {
		b.t.Errorf("it warns of %q, want %q", p.Warnings, want)
	}
	b.remove(true)
	if after := b.paths(); !slices.Equal(after, before) {
		b.t.Errorf("there was %q, and is %q", before, after)
	}
	b.clear(b.dirs.Configuration)
	if err := os.Mkdir(b.tree.Path(b.dirs.Configuration), 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.install(false)
	b.remove(false)
	if !b.tree.Exists(b.dirs.Configuration) {
		b.t.Error("uninstall has removed an empty folder that it has not made")
	}
	b.clear(b.dirs.Configuration)
	b.m.Remove(b.t.Context(), b.s, true) //nolint:errcheck // there may be nothing left
}

func (b bed) later() {
	b.t.Helper()
	before := b.paths()
	for range 2 {
		b.install(false)
		b.write(b.dirs.State + "/data")
		b.remove(false)
		if !b.tree.Exists(b.dirs.State + "/data") {
			b.t.Error("uninstall has removed the state")
		}
		b.install(false) // it finds its own again
		b.remove(false)
		if removed := b.remove(true); !slices.Contains(removed, b.dirs.State) {
			b.t.Errorf("purge after uninstall has removed %q", removed)
		}
		if after := b.paths(); !slices.Equal(after, before) {
			b.t.Errorf("there was %q, and is %q", before, after)
		}
		if _, err := b.m.Remove(b.t.Context(), b.s, true); !errors.Is(err, service.ErrNotInstalled) {
			b.t.Errorf("where nothing is left: %v", err)
		}
	}
}

// replaced has another program make a folder where uninstall left one.
func (b bed) replaced() {
	b.t.Helper()
	if b.tree.Identity("/") == "" {
		return // nothing tells the two apart here
	}
	dir := b.dirs.State
	before := b.paths()
	for _, then := range []string{"purge", "install"} {
		b.install(false)
		b.write(dir + "/data")
		b.remove(false)
		at := b.tree.Path(dir)
		if err := os.Rename(at, at+".old"); err != nil { // so that the inode is another one
			b.t.Fatal(err)
		}
		b.write(dir + "/precious")
		b.clear(dir + ".old")
		if then == "install" {
			if _, err := b.m.Plan(b.t.Context(), b.s, false); !errors.Is(err, service.ErrForeign) || !strings.Contains(err.Error(), dir) {
				b.t.Errorf("%s is of somebody else now, and the plan fails with %v", dir, err)
			}
			b.install(true)
		}
		removed, err := b.m.Remove(b.t.Context(), b.s, true)
		want := dir + " stays: it was put there since uninstall, and may belong to another program; if it does not, remove it by hand"
		if then == "purge" && (err == nil || !strings.Contains(err.Error(), want)) || then == "install" && err != nil {
			b.t.Errorf("purge after %s says %v", then, err)
		}
		if slices.Contains(removed, dir) || !b.tree.Exists(dir+"/precious") {
			b.t.Errorf("purge after %s has removed what is not the service's: %q", then, removed)
		}
		if _, err := b.m.Remove(b.t.Context(), b.s, true); !errors.Is(err, service.ErrNotInstalled) || !b.tree.Exists(dir+"/precious") {
			b.t.Errorf("a second purge after %s: %v", then, err)
		}
		b.clear(dir)
		if after := b.paths(); !slices.Equal(after, before) {
			b.t.Errorf("there was %q, and is %q", before, after)
		}
	}
}

// earlier has a service that an earlier version has installed, without a record.
func (b bed) earlier() {
	b.t.Helper()
	b.install(false)
	b.write(b.dirs.State + "/data")
	for _, p := range b.paths() {
		if path.Base(path.Dir(p)) == ".glidepath" {
			b.clear(p)
		}
	}
	for range 2 {
		if p := b.install(false); slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.HasPrefix(w, b.dirs.State+" was there before") }) {
			b.t.Errorf("its own are somebody else's: %q", p.Warnings)
		}
		b.remove(false)
	}
	b.install(false)
	if removed := b.remove(true); slices.Contains(removed, b.dirs.State) || !b.tree.Exists(b.dirs.State+"/data") {
		b.t.Errorf("purge has removed %q, of which nobody knows who has made it", removed)
	}
	for _, v := range b.dirs.Vars() {
		b.clear(v.Dir)
	}
	if _, err := b.m.Remove(b.t.Context(), b.s, true); !errors.Is(err, service.ErrNotInstalled) {
		b.t.Errorf("where nothing is left: %v", err)
	}
}
