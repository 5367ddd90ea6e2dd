package initd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// adopt gives to o what the service has written when its account was another one, as
// systemd does. What belongs to somebody else than the folder is left alone: the old
// account may have put a link to it there.
func (m Machine) adopt(c *files.Change, folders []onefile.Folder, o Owner) error {
	chown := m.Chown
	if chown == nil {
		chown = os.Lchown
	}
	give := func(p string, from, to onefile.Owner) error {
		if err := chown(p, to.UID, to.GID); err != nil {
			return fmt.Errorf("give %s to %s: %w", p, o.Name, err)
		}
		c.Call(func() error { return chown(p, from.UID, from.GID) })
		return nil
	}
	for _, f := range folders {
		top := m.Tree.Path(f.Path)
		before, ok := belongs(top)
		switch {
		case !ok:
			continue
		case f.Root && before.UID == 0 && before.GID != o.GID:
			if err := give(top, before, onefile.Owner{GID: o.GID}); err != nil {
				return err
			}
			continue
		case f.Root || before.UID == o.UID:
			continue
		}
		err := filepath.WalkDir(top, func(p string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if now, ok := belongs(p); ok && now.UID == before.UID {
				return give(p, now, onefile.Owner{UID: o.UID, GID: o.GID})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
