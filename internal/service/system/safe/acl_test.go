package safe

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

const (
	system         = "S-1-5-18"
	administrators = "S-1-5-32-544"
	users          = "S-1-5-32-545"
	authenticated  = "S-1-5-11"
	somebody       = "S-1-5-21-1-2-3-1001"

	full   = 0x1F01FF
	read   = 0x1200A9
	modify = 0x1301BF
)

func TestWhoCanReplaceAnExecutableOfWindows(t *testing.T) {
	plain := []entry{{allow, 0, full, system}, {allow, 0, full, administrators}, {allow, 0, read, users}}
	with := func(more ...entry) []entry { return append(append([]entry{}, more...), plain...) }
	for _, test := range []struct {
		name string
		o    object
		want string // what the error says, "" if there is none
	}{
		{"below Program Files", object{owner: trustedInstaller, entries: plain}, ""},
		{"of Administrators", object{owner: administrators, entries: plain}, ""},
		{"of the built-in administrator", object{owner: "S-1-5-21-1-2-3-500", entries: plain}, ""},
		{"of the domain's administrators", object{owner: "S-1-5-21-1-2-3-512", entries: plain}, ""},
		{"of a user", object{owner: somebody, entries: plain}, "belongs to <" + somebody + ">"},
		{"of a user whose number ends as an administrator's", object{owner: "S-1-5-21-1-2-3-1500", entries: plain}, "belongs to"},
		{"of another service", object{owner: "S-1-5-80-1-2-3-4-500", entries: plain}, "belongs to"},
		{"without a DACL", object{owner: system, open: true}, "everyone can write"},
		{"that nobody may touch", object{owner: system}, ""},

		{"a file that users modify", object{owner: system, entries: with(entry{allow, 0, modify, users})}, "every user (Users) can write to"},
		{"a file that somebody modifies", object{owner: system, entries: with(entry{allow, 0, modify, somebody})}, "<" + somebody + "> can write to"},
		{"a file that all append to", object{owner: system, entries: with(entry{allow, 0, appendData, everyone})}, "everyone can write to"},
		{"a file that all delete", object{owner: system, entries: with(entry{allow, 0, deleteIt, authenticated})}, "can delete or rename"},
		{"a file whose DACL all change", object{owner: system, entries: with(entry{allow, 0, writeDAC, "S-1-5-4"})}, "INTERACTIVE) may change who"},
		{"a file that all make their own", object{owner: system, entries: with(entry{allow, 0, writeOwner, everyone})}, "the owner"},
		{"a file that all write by a generic right", object{owner: system, entries: with(entry{allow, 0, genericWrite, everyone})}, "can write to"},
		{"a file with all generic rights", object{owner: system, entries: with(entry{allow, 0, genericAll, everyone})}, "may change"},
		{"a file with a condition", object{owner: system, entries: with(entry{allowCallback, 0, modify, everyone})}, "can write to"},
		{"what is for below only", object{owner: system, entries: with(entry{allow, inheritOnly, full, users})}, ""},
		{"the creator's", object{owner: system, entries: with(entry{allow, 0, full, "S-1-3-0"}, entry{allow, 0, full, "S-1-3-4"})}, ""},
		{"an audit", object{owner: system, entries: with(entry{2, 0, full, everyone})}, ""},

		{"denied before", object{owner: system, entries: with(entry{deny, 0, modify, users}, entry{allow, 0, modify, users})}, ""},
		{"denied to everyone before", object{owner: system, entries: with(entry{deny, 0, genericAll, everyone}, entry{allow, 0, modify, users})}, ""},
		{"denied after", object{owner: system, entries: append([]entry{{allow, 0, modify, users}}, entry{deny, 0, modify, users})}, "can write to"},
		{"denied in part", object{owner: system, entries: with(entry{deny, 0, writeData, users}, entry{allow, 0, modify, users})}, "can write to"},
		{"denied to others", object{owner: system, entries: with(entry{deny, 0, modify, "S-1-5-32-546"}, entry{allow, 0, modify, users})}, "can write to"},
		{"denied for below only", object{owner: system, entries: with(entry{deny, inheritOnly, modify, users}, entry{allow, 0, modify, users})}, "can write to"},
		{"denied on a condition", object{owner: system, entries: with(entry{10, 0, modify, users}, entry{allow, 0, modify, users})}, "can write to"},

		{"its folder, where users add files", object{role: isFolder, owner: system, entries: with(entry{allow, 0, writeData, users})}, "can write to"},
		{"its folder, where users add folders", object{role: isFolder, owner: system, entries: with(entry{allow, 0, appendData, users})}, ""},
		{"its folder, where users delete", object{role: isFolder, owner: system, entries: with(entry{allow, 0, deleteChild, users})}, "can delete what is in"},
		{`C:\ as Windows makes it`, object{role: isAbove, owner: trustedInstaller, entries: with(entry{allow, 0, appendData, authenticated}, entry{allow, inheritOnly, modify, authenticated})}, ""},
		{"further above, where users add files", object{role: isAbove, owner: system, entries: with(entry{allow, 0, writeData | appendData, users})}, ""},
		{"further above, which users rename", object{role: isAbove, owner: system, entries: with(entry{allow, 0, modify, users})}, "can delete or rename"},
		{"a link further above, which users lead elsewhere", object{role: isAbove, link: true, owner: system, entries: with(entry{allow, 0, writeData | appendData | writeInfo, users})}, "can write to"},
		{"a link whose attributes users write", object{role: isAbove, link: true, owner: system, entries: with(entry{allow, 0, writeInfo, users})}, "can lead elsewhere"},
		{"a link further above, with a generic right", object{role: isAbove, link: true, owner: system, entries: with(entry{allow, 0, genericWrite, users})}, "can write to"},
		{"a link that users follow", object{role: isAbove, link: true, owner: system, entries: plain}, ""},
		{"no link, whose attributes users write", object{role: isAbove, owner: system, entries: with(entry{allow, 0, writeInfo, users})}, ""},
		{"further above, of a user", object{role: isAbove, owner: somebody, entries: plain}, "belongs to"},
	} {
		test.o.path = `C:\d\web.exe`
		err := judge(test.o, "", func(sid string) string { return "<" + sid + ">" })
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!errors.Is(err, service.ErrUnsafe) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	mine := object{owner: somebody, entries: with(entry{allow, 0, full, somebody})}
	if err := judge(mine, somebody, nil); err != nil {
		t.Errorf("a user's own: %v", err)
	}
}

func bytesOf(sid ...uint32) []byte { // of authority 5
	b := []byte{1, byte(len(sid)), 0, 0, 0, 0, 0, 5}
	for _, n := range sid {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func acl(entries ...[]byte) []byte {
	b := make([]byte, 8)
	b[0] = 2
	b[4] = byte(len(entries))
	for _, e := range entries {
		b = append(b, e...)
	}
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func ace(kind, flags byte, mask uint32, rest ...byte) []byte {
	b := []byte{kind, flags, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, mask)
	b = append(b, rest...)
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func TestAnAccessControlListIsReadAsItLiesInMemory(t *testing.T) {
	object := append([]byte{3, 0, 0, 0}, make([]byte, 32)...) // with both GUIDs
	got, err := decode(acl(
		ace(allow, 0x13, full, bytesOf(32, 544)...),
		ace(deny, 0, modify, bytesOf(21, 1, 2, 3, 1001)...),
		ace(allowObject, 0, read, append(object, bytesOf(11)...)...),
		ace(allowCallback, 0, read, append(bytesOf(18), "condition"...)...),
		ace(17, 0, 1, 1, 2, 3, 4),
	))
	want := []entry{
		{allow, 0x13, full, administrators},
		{deny, 0, modify, somebody},
		{allowObject, 0, read, authenticated},
		{allowCallback, 0, read, system},
		{17, 0, 1, ""},
	}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i, e := range want {
		if got[i] != e {
			t.Errorf("entry %d is %+v, want %+v", i, got[i], e)
		}
	}
}

func TestWhatIsNoAccessControlListIsRefused(t *testing.T) {
	size := func(n byte) []byte { // an entry that says it has so many bytes
		e := ace(allow, 0, full, bytesOf(18)...)
		e[2] = n
		return acl(e)
	}
	subs := ace(allow, 0, full, bytesOf(18)...)
	subs[9] = 2 // of a SID that has one
	for name, b := range map[string][]byte{
		"nothing": nil, "half a header": make([]byte, 7), "no entry": {2, 0, 8, 0, 1, 0, 0, 0},
		"no size": size(0), "another kind, too small": {2, 0, 12, 0, 1, 0, 0, 0, 17, 0, 4, 0, 0, 0, 0, 0}, "too small": size(7), "too large": size(200), "no SID": size(8), "half a SID": size(14),
		"a SID that is longer": acl(subs), "an object without its flags": acl(ace(allowObject, 0, full)),
		"an object without its GUID": acl(ace(allowObject, 0, full, 1, 0, 0, 0, 9)),
	} {
		if list, err := decode(b); err == nil {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

func FuzzNoAccessControlListIsReadBeyondItsEnd(f *testing.F) {
	f.Add(acl(ace(allow, 0, full, bytesOf(32, 544)...)))
	f.Add(acl(ace(allowObject, 0, full, 3, 0, 0, 0)))
	f.Add([]byte{})
	f.Add(make([]byte, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decode(b)
		if err == nil && len(b) >= 8 && len(list) != int(binary.LittleEndian.Uint16(b[4:])) {
			t.Errorf("%d entries of %v", len(list), b)
		}
	})
}
