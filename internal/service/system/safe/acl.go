package safe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// object is a file or a folder of Windows with what says who may do what to it.
type object struct {
	path    string
	role    role
	link    bool   // it leads elsewhere, and is not followed
	owner   string // a SID
	open    bool   // it has no DACL: everybody may do everything
	entries []entry
}

// role is what an object is to the executable.
type role uint8

const (
	isFile   role = iota // it itself
	isFolder             // its folder
	isAbove              // a folder further above
)

// entry is an entry of a DACL.
type entry struct {
	kind  uint8
	flags uint8
	mask  uint32
	sid   string
}

// The kinds of entries, …_ACE_TYPE. Those with a condition (callback) allow perhaps,
// which counts, and deny perhaps, which does not.
const (
	allow               = 0
	deny                = 1
	allowObject         = 5
	allowCallback       = 9
	allowCallbackObject = 11
)

// inheritOnly (INHERIT_ONLY_ACE) is an entry that is for what is below the folder.
const inheritOnly = 0x8

// The rights that allow to put another file in the place of one.
const (
	writeData   = 0x2 // of a folder: to add files
	appendData  = 0x4 // of a folder: to add folders
	deleteChild = 0x40
	writeInfo   = 0x100 // its attributes
	deleteIt    = 0x10000
	writeDAC    = 0x40000
	writeOwner  = 0x80000

	genericAll   = 0x10000000
	genericWrite = 0x40000000
)

// dangers are the rights that nobody else may have. Who can add a file beside the
// executable can add a DLL that it loads. In a folder further above, what is new
// replaces nothing, as in C:\, where every user may make folders.
var dangers = map[role]uint32{
	isFile:   writeData | appendData | deleteIt | writeDAC | writeOwner,
	isFolder: writeData | deleteChild | deleteIt | writeDAC | writeOwner,
	isAbove:  deleteChild | deleteIt | writeDAC | writeOwner,
}

// linkDangers come beside, of a link: to set where it leads (FSCTL_SET_REPARSE_POINT),
// either is enough, and neither needs the right to delete it. What an administrator makes
// in %ProgramData% lets every user do both.
const linkDangers = writeData | writeInfo

// rights says what each right is, the worst first.
var rights = []struct {
	mask uint32
	text string
}{
	{writeDAC, "may change who may do what to"},
	{writeOwner, "may make himself the owner of"},
	{writeData, "can write to"},
	{appendData, "can write to"},
	{deleteChild, "can delete what is in"},
	{deleteIt, "can delete or rename"},
	{writeInfo, "can lead elsewhere"},
}

const (
	everyone         = "S-1-1-0"
	trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
)

// wellKnown are the names of SIDs that every Windows has.
var wellKnown = map[string]string{
	everyone:       "everyone",
	"S-1-5-2":      "everyone from the network (NETWORK)",
	"S-1-5-4":      "everyone who logs on (INTERACTIVE)",
	"S-1-5-11":     "everyone with an account (Authenticated Users)",
	"S-1-5-32-545": "every user (Users)",
	"S-1-5-32-546": "every guest (Guests)",
	"S-1-5-32-547": "Power Users",
	"S-1-15-2-1":   "every app (ALL APPLICATION PACKAGES)",
}

// trusted reports whether sid is the system or an administrator, who can do as they
// like anyway. own is another one that is trusted, "" if there is none.
func trusted(sid, own string) bool {
	switch sid {
	case "S-1-5-18", "S-1-5-32-544", trustedInstaller:
		return true
	case own:
		return sid != ""
	}
	domain, ok := strings.CutPrefix(sid, "S-1-5-21-")
	return ok && (strings.HasSuffix(domain, "-500") || strings.HasSuffix(domain, "-512") || strings.HasSuffix(domain, "-519")) // Administrator, Domain Admins, Enterprise Admins
}

// judge returns an error that wraps service.ErrUnsafe if others than those who are
// trusted can replace the executable by what they may do to o. name says who a SID is.
func judge(o object, own string, name func(sid string) string) error {
	unsafe := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w; move the executable below C:\\Program Files", fmt.Sprintf(format, args...), service.ErrUnsafe)
	}
	called := func(sid string) string {
		if n, ok := wellKnown[sid]; ok {
			return n
		}
		return name(sid)
	}
	if !trusted(o.owner, own) {
		return unsafe("%s belongs to %s, who is not an administrator", o.path, called(o.owner))
	}
	if o.open {
		return unsafe("%s has no access control: everyone can write to it", o.path)
	}
	// Windows takes the entries in their order: what was denied before stays denied. What
	// is denied to a group is of no help against who is not in it, so that only the same
	// SID and everyone count.
	dangers := dangers[o.role]
	if o.link {
		dangers |= linkDangers
	}
	denied := map[string]uint32{}
	for _, e := range o.entries {
		if e.flags&inheritOnly != 0 {
			continue
		}
		mask := specific(e.mask)
		switch e.kind {
		case deny:
			denied[e.sid] |= mask
			continue
		case allow, allowObject, allowCallback, allowCallbackObject:
		default:
			continue
		}
		mask &^= denied[e.sid] | denied[everyone]
		switch {
		case mask&dangers == 0 || trusted(e.sid, own):
		case e.sid == "S-1-3-0" || e.sid == "S-1-3-4": // the creator, for what is below; the owner, who was looked at
		default:
			for _, r := range rights {
				if mask&dangers&r.mask != 0 {
					return unsafe("%s %s %s", called(e.sid), r.text, o.path)
				}
			}
		}
	}
	return nil
}

// specific replaces the rights that stand for several.
func specific(mask uint32) uint32 {
	if mask&genericAll != 0 {
		mask |= 0x1F01FF
	}
	if mask&genericWrite != 0 {
		mask |= writeData | appendData | writeInfo
	}
	return mask
}

var errACL = errors.New("the access control list cannot be understood")

// decode reads an ACL as it lies in memory.
func decode(b []byte) (list []entry, err error) {
	if len(b) < 8 {
		return nil, errACL
	}
	count := binary.LittleEndian.Uint16(b[4:])
	b = b[8:]
	for range count {
		if len(b) < 8 {
			return nil, errACL
		}
		size := int(binary.LittleEndian.Uint16(b[2:]))
		if size < 8 || size > len(b) {
			return nil, errACL
		}
		e := entry{kind: b[0], flags: b[1], mask: binary.LittleEndian.Uint32(b[4:])}
		at := 8
		if e.kind == allowObject || e.kind == allowCallbackObject {
			if size < 12 {
				return nil, errACL
			}
			at = 12
			for flags := b[8]; flags&3 != 0; flags &= flags - 1 { // a GUID of 16 bytes for each
				at += 16
			}
		}
		if known(e.kind) {
			if e.sid, err = sid(b[min(at, size):size]); err != nil {
				return nil, err
			}
		}
		list = append(list, e)
		b = b[size:]
	}
	return list, nil
}

func known(kind uint8) bool {
	switch kind {
	case allow, deny, allowObject, allowCallback, allowCallbackObject:
		return true
	}
	return false
}

// sid writes a SID as people do.
func sid(b []byte) (string, error) {
	if len(b) < 8 || len(b) < 8+4*int(b[1]) {
		return "", errACL
	}
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	s := fmt.Sprintf("S-%d-%d", b[0], authority)
	for i := range int(b[1]) {
		s += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	return s, nil
}
