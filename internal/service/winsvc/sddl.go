package winsvc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The rights of an entry. Windows writes those of a modify as a number.
const (
	rightsFull   = "FA"
	rightsModify = "0x1301bf"
)

// folderSecurity lets the system, the administrators and the service into a folder, and
// nobody else: nothing is inherited from %ProgramData%, where every user may make files.
func folderSecurity(sid string) string {
	return "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)" + grantEntry(sid)
}

func grantEntry(sid string) string { return "(A;OICI;" + rightsModify + ";;;" + sid + ")" }

// dacl is the part of a descriptor that says who may do what: its flags, and its
// entries, without parentheses.
type dacl struct {
	owner   string
	flags   string
	entries []string
	none    bool // no DACL at all: everybody may do everything
}

// parse takes apart what Windows writes; entries with conditions, which have
// parentheses in them, too.
func parse(sddl string) (d dacl) {
	d.none = true
	for sddl != "" {
		if len(sddl) < 2 || sddl[1] != ':' {
			return d
		}
		kind, rest := sddl[0], sddl[2:]
		end := 0
		for depth := 0; end < len(rest); end++ {
			switch rest[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth == 0 && end+1 < len(rest) && rest[end+1] == ':' && strings.ContainsRune("OGDS", rune(rest[end])) {
				break
			}
		}
		part := rest[:end]
		sddl = rest[end:]
		switch kind {
		case 'O':
			d.owner = part
		case 'D':
			d.flags, d.entries = entries(part)
			d.none = d.flags == "NO_ACCESS_CONTROL"
		}
	}
	return d
}

func entries(part string) (flags string, list []string) {
	i := strings.IndexByte(part, '(')
	if i < 0 {
		return part, nil
	}
	flags = part[:i]
	depth, begin := 0, i
	for ; i < len(part); i++ {
		switch part[i] {
		case '(':
			if depth == 0 {
				begin = i + 1
			}
			depth++
		case ')':
			if depth--; depth == 0 {
				list = append(list, part[begin:i])
			}
		}
	}
	return flags, list
}

func (d dacl) String() string {
	s := "D:" + d.flags
	for _, e := range d.entries {
		s += "(" + e + ")"
	}
	return s
}

func field(entry string, i int) string {
	fields := strings.Split(entry, ";")
	if i >= len(fields) {
		return ""
	}
	return fields[i]
}

// grant lets sid modify. The entry comes before those that are inherited, and after
// those that deny, as Windows wants them.
func (d dacl) grant(sid string) dacl {
	d = d.revoke(sid)
	at := slices.IndexFunc(d.entries, func(e string) bool {
		return strings.Contains(field(e, 1), "ID") || !strings.Contains(field(e, 0), "D")
	})
	if at < 0 {
		at = len(d.entries)
	}
	entry := strings.Trim(grantEntry(sid), "()")
	d.entries = slices.Insert(slices.Clone(d.entries), at, entry)
	return d
}

// grants reports whether sid may modify by an entry of its own.
func (d dacl) grants(sid string) bool {
	return slices.Contains(d.entries, strings.Trim(grantEntry(sid), "()"))
}

// revoke takes away every entry of sid's own.
func (d dacl) revoke(sid string) dacl {
	d.entries = slices.DeleteFunc(slices.Clone(d.entries), func(e string) bool {
		return field(e, 5) == sid && !strings.Contains(field(e, 1), "ID")
	})
	return d
}

// words says in one line who may do what; what it has no words for is as it is.
func (d dacl) words(names map[string]string) string {
	name := func(sid string) string {
		if n, ok := names[sid]; ok {
			return n
		}
		return sid
	}
	if d.none {
		return "everybody full"
	}
	list := make([]string, 0, len(d.entries)+2)
	for _, e := range d.entries {
		rights := field(e, 2)
		switch {
		case field(e, 0) != "A" || field(e, 1) != "OICI":
			list = append(list, "("+e+")")
			continue
		case rights == rightsFull || rights == "0x1f01ff":
			rights = "full"
		case rights == rightsModify:
			rights = "modify"
		}
		list = append(list, name(field(e, 5))+" "+rights)
	}
	if len(list) == 0 {
		list = append(list, "nobody")
	}
	if !strings.Contains(d.flags, "P") {
		list = append(list, "and what is inherited")
	}
	return strings.Join(list, ", ") + "; of " + name(d.owner)
}

// protected reports whether nothing is inherited.
func protected(sddl string) bool { return strings.Contains(parse(sddl).flags, "P") }

// plain is the DACL of a service without its flags: a service inherits nothing, and the
// manager does not keep them.
func plain(sddl string) string {
	d := parse(sddl)
	if d.none {
		return sddl
	}
	d.flags = ""
	return d.String()
}

// rightsOf are the rights that an entry of a service gives, as a number. Windows writes
// them as pairs of letters where it can, which of a service mean what they do of a
// directory service: CC is 1, to read the configuration.
func rightsOf(text string) (mask uint32) {
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		n, _ := strconv.ParseUint(hex, 16, 32)
		return uint32(n)
	}
	for ; len(text) >= 2; text = text[2:] {
		switch text[:2] {
		case "GA", "FA", "KA":
			mask |= accessServiceAll
		case "GR":
			mask |= accessReadControl | accessQueryConfig | accessQueryStatus | accessDependents
		case "GW":
			mask |= accessReadControl | accessChangeConfig
		case "GX":
			mask |= accessReadControl | accessStart | accessStop | accessPauseContinue
		case "SD":
			mask |= accessDelete
		case "RC":
			mask |= accessReadControl
		case "WD":
			mask |= accessWriteDAC
		case "WO":
			mask |= accessWriteOwner
		default:
			if i := slices.Index([]string{"CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR"}, text[:2]); i >= 0 {
				mask |= 1 << i
			}
		}
	}
	return mask
}

// groups are those of SDDL that have the most members.
var groups = map[string]string{
	"SY": "SYSTEM", "BA": "Administrators", "BU": "Users", "AU": "Authenticated Users", "WD": "Everyone", "CO": "the creator",
	"IU": "who logs on (Interactive)", "SU": "every service (Service)",
}

// administering is what install and uninstall need.
const administering = accessConfigure | accessQueryStatus | accessDependents | accessStop | accessDelete | accessReadControl | accessWriteDAC

// takingOver are the rights to a service with which its account can be had: to name
// another executable, or to give oneself that right.
const takingOver = accessChangeConfig | accessWriteDAC | accessWriteOwner

// doubts are what speaks against d as the DACL of a service. The service itself counts as
// others do: with another account it would be more than it is.
func (d dacl) doubts() (list []string) {
	var ours uint32
	for _, e := range d.entries {
		mask, sid := rightsOf(field(e, 2)), field(e, 5)
		switch {
		case !strings.HasSuffix(field(e, 0), "A"): // it denies, or watches
		case sid == "BA":
			ours |= mask
		case sid != "SY" && mask&takingOver != 0:
			list = append(list, cmp.Or(groups[sid], sid)+" may change the service, and so have it run what they like as LocalSystem")
		}
	}
	if ours&administering != administering {
		list = append(list, "Administrators (BA) have not all rights, and cannot install it again or uninstall it")
	}
	return list
}
