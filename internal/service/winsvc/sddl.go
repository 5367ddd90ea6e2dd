package winsvc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The rights of an entry. Windows writes the right to modify as a number.
const (
	rightsFull   = "FA"
	rightsModify = "0x1301bf"
)

// folderSecurity returns a descriptor that lets the system, administrators and the service use a
// folder, and nobody else. The folder inherits nothing from %ProgramData%, where every user may
// create files.
func folderSecurity(sid string) string {
	return "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)" + grantEntry(sid)
}

// grantEntry returns the entry that lets sid modify a file or a folder.
func grantEntry(sid string) string { return "(A;OICI;" + rightsModify + ";;;" + sid + ")" }

// dacl holds the part of a descriptor that says who may do what, and the owner.
type dacl struct {
	owner   string
	flags   string
	entries []string // without parentheses
	none    bool     // there is no DACL: everybody may do everything
}

// parse parses a descriptor as Windows writes it. Entries may have conditions, which contain
// parentheses.
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

// entries splits a DACL into its flags and its entries.
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

// String returns the DACL in SDDL, without the owner.
func (d dacl) String() string {
	s := "D:" + d.flags
	for _, e := range d.entries {
		s += "(" + e + ")"
	}
	return s
}

// field returns a field of an entry, or "" if it has fewer.
func field(entry string, i int) string {
	fields := strings.Split(entry, ";")
	if i >= len(fields) {
		return ""
	}
	return fields[i]
}

// grant returns d with an entry that lets sid modify. As Windows requires, the entry comes after
// those that deny and before those that are inherited.
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

// grants reports whether d has the entry that grant adds.
func (d dacl) grants(sid string) bool {
	return slices.Contains(d.entries, strings.Trim(grantEntry(sid), "()"))
}

// revoke returns d without the entries for sid that are not inherited.
func (d dacl) revoke(sid string) dacl {
	d.entries = slices.DeleteFunc(slices.Clone(d.entries), func(e string) bool {
		return field(e, 5) == sid && !strings.Contains(field(e, 1), "ID")
	})
	return d
}

// words says in one line who may do what. It leaves entries in SDDL that it has no words for.
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
		list = append(list, "and inherited entries")
	}
	return strings.Join(list, ", ") + "; owned by " + name(d.owner)
}

// protected reports whether a descriptor inherits nothing.
func protected(sddl string) bool { return strings.Contains(parse(sddl).flags, "P") }

// plain returns the DACL of a service without its flags. The manager does not keep them, because
// a service inherits nothing.
func plain(sddl string) string {
	d := parse(sddl)
	if d.none {
		return sddl
	}
	d.flags = ""
	return d.String()
}

// rightsOf returns the rights that an entry gives to a service, as a number. Windows writes them
// as pairs of letters if it can. Each pair has the bit that it has for a directory service: CC is
// 1, which for a service is the right to read its configuration.
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

// groups names the groups of SDDL that have the most members.
var groups = map[string]string{
	"SY": "SYSTEM", "BA": "Administrators", "BU": "Users", "AU": "Authenticated Users", "WD": "Everyone", "CO": "the creator",
	"IU": "everybody who logs on (Interactive)", "SU": "every service (Service)",
}

// administering has the rights that install and uninstall need.
const administering = accessConfigure | accessQueryStatus | accessDependents | accessStop | accessDelete | accessReadControl | accessWriteDAC

// takingOver has the rights with which a user can act as the account of a service: to set
// another executable, or to grant oneself that right.
const takingOver = accessChangeConfig | accessWriteDAC | accessWriteOwner

// doubts returns what is wrong with d as the DACL of a service. It makes no exception for the SID of
// the service itself: a service that can set its account can gain the rights of any.
func (d dacl) doubts() (list []string) {
	var ours uint32
	for _, e := range d.entries {
		mask, sid := rightsOf(field(e, 2)), field(e, 5)
		switch {
		case !strings.HasSuffix(field(e, 0), "A"): // it denies or audits
		case sid == "BA":
			ours |= mask
		case sid != "SY" && mask&takingOver != 0:
			list = append(list, cmp.Or(groups[sid], sid)+" may change the service, and so run any program as LocalSystem")
		}
	}
	if ours&administering != administering {
		list = append(list, "Administrators (BA) lack rights to install it again or to uninstall it")
	}
	return list
}
