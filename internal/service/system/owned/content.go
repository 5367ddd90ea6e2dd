package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// content is what a record says.
type content struct {
	own    []string // what the service has made
	used   []string // what it had before there was a record: purge leaves it
	before []before // what was somebody else's, and is given back
	left   []left   // what uninstall has left of own
}

// left is the identity of what uninstall has left at a path.
type left struct{ identity, path string }

// replaced returns the paths of own where somebody has put something else since uninstall.
func (c content) replaced(tree files.Tree) (paths []string) {
	for _, l := range c.left {
		if now := tree.Identity(l.path); tree.Exists(l.path) && now != l.identity && slices.Contains(c.own, l.path) {
			paths = append(paths, l.path)
		}
	}
	return paths
}

// installed returns the content for an installation: the service may make again what it has
// left, so that its identity means nothing any more. It owns nothing that was replaced.
func (c content) installed(tree files.Tree, paths []Path) content {
	d, replaced := c.clone(), c.replaced(tree)
	d.left = nil
	d.own = slices.DeleteFunc(d.own, func(p string) bool {
		return slices.Contains(replaced, p) || slices.ContainsFunc(paths, func(f Path) bool { return slices.Contains(f.all(), p) && f.in(replaced) })
	})
	return d
}

// before is what a folder, a file or a link was like before install --force.
type before struct {
	mode     fs.FileMode // of a link, that it is one
	uid, gid int
	path     string
}

func (c content) clone() content {
	return content{slices.Clone(c.own), slices.Clone(c.used), slices.Clone(c.before), slices.Clone(c.left)}
}

func (c content) equal(d content) bool {
	return slices.Equal(c.own, d.own) && slices.Equal(c.used, d.used) && slices.Equal(c.before, d.before) && slices.Equal(c.left, d.left)
}

func (c content) empty() bool { return len(c.own)+len(c.used)+len(c.before) == 0 }

// read returns what the record says, nothing without one.
func (r Record) read() (content, error) {
	text, _, err := r.tree.Read(r.file)
	if err != nil {
		return content{}, fmt.Errorf("read what belongs to the service: %w", err)
	}
	return parse(text), nil
}

// parse leaves out what it does not understand.
func parse(text string) (c content) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if path.IsAbs(line) {
			c.own = append(c.own, line)
			continue
		}
		if p, ok := strings.CutPrefix(line, "used "); ok && path.IsAbs(p) {
			c.used = append(c.used, p)
			continue
		}
		if rest, ok := strings.CutPrefix(line, "left "); ok {
			if identity, p, ok := strings.Cut(rest, " "); ok && path.IsAbs(p) {
				c.left = append(c.left, left{identity, p})
			}
			continue
		}
		if b, ok := parseBefore(line); ok {
			c.before = append(c.before, b)
		}
	}
	return c
}

func parseBefore(line string) (b before, ok bool) {
	words := strings.SplitN(line, " ", 5)
	if len(words) < 5 || words[0] != "before" || !path.IsAbs(words[4]) {
		return before{}, false
	}
	link := words[1] == linkMode
	if link {
		words[1] = "0"
	}
	mode, err := strconv.ParseUint(words[1], 8, 12)
	uid, err2 := strconv.Atoi(words[2])
	gid, err3 := strconv.Atoi(words[3])
	b = before{fs.FileMode(mode & 0o777), uid, gid, words[4]}
	for bit, flag := range special {
		if mode&bit != 0 {
			b.mode |= flag
		}
	}
	if link {
		b.mode = fs.ModeSymlink
	}
	return b, errors.Join(err, err2, err3) == nil
}

// linkMode stands in a record for the mode of a link. Earlier versions ignore such a line.
const linkMode = "link"

// special are the bits of a mode beyond the permissions.
var special = map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky}

func (b before) String() string {
	if b.mode == fs.ModeSymlink {
		return fmt.Sprintf("before %s %d %d %s", linkMode, b.uid, b.gid, b.path)
	}
	mode := uint64(b.mode.Perm())
	for bit, flag := range special {
		if b.mode&flag != 0 {
			mode |= bit
		}
	}
	return fmt.Sprintf("before %04o %d %d %s", mode, b.uid, b.gid, b.path)
}

func (c content) String() string {
	var b strings.Builder
	b.WriteString("# " + manage.Mark + "\n# What the service has made, for uninstall --purge:\n")
	for _, p := range c.own {
		b.WriteString(p + "\n")
	}
	if len(c.used) > 0 {
		b.WriteString("# What it had before there was this record, and purge leaves:\n")
	}
	for _, p := range c.used {
		b.WriteString("used " + p + "\n")
	}
	if len(c.before) > 0 {
		b.WriteString("# What was there before, with its mode, user and group, and uninstall gives back:\n")
	}
	for _, f := range c.before {
		b.WriteString(f.String() + "\n")
	}
	if len(c.left) > 0 {
		b.WriteString("# What uninstall has left: purge leaves what was put there since.\n")
	}
	for _, l := range c.left {
		b.WriteString("left " + l.identity + " " + l.path + "\n")
	}
	return b.String()
}

// giveBack makes a folder, a file or a link what it was. A folder may have been moved, with a
// link in its place.
func (b before) giveBack(tree files.Tree, moved string) error {
	at := b.path
	there, err := os.Lstat(tree.Path(b.path))
	if b.mode != fs.ModeSymlink && moved != "" && (errors.Is(err, fs.ErrNotExist) || err == nil && there.Mode()&fs.ModeSymlink != 0) {
		if info, err := os.Lstat(tree.Path(moved)); err != nil || !info.IsDir() {
			return nil // somebody has removed it
		}
		at = moved
	}
	if err := files.Return(tree.Path(at), b.mode, b.uid, b.gid); err != nil || at == b.path {
		return err
	}
	if there != nil {
		if err := os.Remove(tree.Path(b.path)); err != nil {
			return err
		}
	}
	return os.Rename(tree.Path(at), tree.Path(b.path))
}
