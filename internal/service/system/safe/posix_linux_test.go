package safe

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/daemon/service"
)

type aclEntry struct {
	kind, rights uint16
	id           uint32
}

const (
	aclUserObj = 0x01
	aclOther   = 0x20
	nobody     = ^uint32(0) // in entries that are of no user or group in particular
)

// encode makes a list as setfacl hands it to the kernel, with the entries that every list
// has: the owner may do everything, everybody may read and execute.
func encode(owning uint16, mask uint16, more ...aclEntry) []byte {
	all := append([]aclEntry{{aclUserObj, 7, nobody}}, slices.DeleteFunc(slices.Clone(more), func(e aclEntry) bool { return e.kind != aclUser })...)
	all = append(all, aclEntry{aclGroupObj, owning, nobody})
	all = append(all, slices.DeleteFunc(slices.Clone(more), func(e aclEntry) bool { return e.kind != aclGroup })...)
	all = append(all, aclEntry{aclMask, mask, nobody}, aclEntry{aclOther, 5, nobody})
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range all {
		b = binary.LittleEndian.AppendUint16(b, e.kind)
		b = binary.LittleEndian.AppendUint16(b, e.rights)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

func TestAnAccessControlListCountsForWhatItGrants(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only what belongs to root is safe for the machine")
	}
	const bob = 4711
	for name, test := range map[string]struct {
		list []byte
		gid  int
		want string // "" is safe; PATH is the file or the folder
	}{
		"a user may write":                     {encode(5, 7, aclEntry{aclUser, 7, bob}), 0, "the user with ID 4711 can write to PATH by its access control list: other users can write there; setfacl -x u:4711 PATH"},
		"a user may write, but for the mask":   {encode(5, 5, aclEntry{aclUser, 7, bob}), 0, ""},
		"a user may read":                      {encode(5, 5, aclEntry{aclUser, 5, bob}), 0, ""},
		"root may write":                       {encode(5, 7, aclEntry{aclUser, 7, 0}), 0, ""},
		"a group may write":                    {encode(5, 7, aclEntry{aclGroup, 6, bob}), 0, "the group with ID 4711 can write to PATH by its access control list: other users can write there; setfacl -x g:4711 PATH"},
		"root's group may write":               {encode(7, 7, aclEntry{aclUser, 5, bob}), 0, ""},
		"its own group may write":              {encode(7, 7, aclEntry{aclUser, 5, bob}), bob, "the group with ID 4711 can write to PATH (mode 0775): other users can write there; chmod g-w PATH"},
		"only root may, and not its own group": {encode(5, 7, aclEntry{aclUser, 7, 0}), bob, ""}, // ls shows rwx for the group
	} {
		for _, which := range []string{"d", "d/web"} {
			base := t.TempDir()
			file, at := filepath.Join(base, "d/web"), filepath.Join(base, which)
			err := errors.Join(os.Mkdir(filepath.Join(base, "d"), 0o755), os.WriteFile(file, nil, 0o755), os.Chown(at, 0, test.gid))
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.Setxattr(at, "system.posix_acl_access", test.list, 0); errors.Is(err, unix.EOPNOTSUPP) {
				t.Skip("this file system has no access control lists")
			} else if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(test.want, "PATH", at)
			switch err := Executable(file, false); {
			case want == "" && err != nil:
				t.Errorf("%s, of %s: %v", name, which, err)
			case want != "" && (!errors.Is(err, service.ErrUnsafe) || err.Error() != want):
				t.Errorf("%s, of %s: got %v, want %s", name, which, err, want)
			}
		}
	}
}

func TestAListOfAnUnknownFormIsAnError(t *testing.T) {
	for _, list := range [][]byte{nil, {2, 0, 0}, {3, 0, 0, 0}, {2, 0, 0, 0, 1}} {
		if _, _, err := writers(list, 0); err == nil {
			t.Errorf("%x is taken for a list", list)
		}
	}
	if users, groups, err := writers(encode(7, 2, aclEntry{aclUser, 2, 1}, aclEntry{aclGroup, 2, 3}), 9); err != nil || !slices.Equal(users, []int{1}) || !slices.Equal(groups, []int{9, 3}) {
		t.Errorf("got %d, %d, %v", users, groups, err)
	}
}
