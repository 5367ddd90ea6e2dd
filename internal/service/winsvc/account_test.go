package winsvc

import (
	"fmt"
	"slices"
	"testing"
)

func TestServiceSID_MatchesWindows(t *testing.T) {
	// The SID of TrustedInstaller is documented, and the same on every machine.
	const want = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	for _, name := range []string{"TrustedInstaller", "TRUSTEDINSTALLER"} {
		if got := serviceSID(name); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}

func TestParse_DescriptorsInWords(t *testing.T) {
	const sid = "S-1-5-80-1"
	for sddl, want := range map[string]string{
		"O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;S-1-5-80-1)S:AI(AU;;FA;;;WD)": "SYSTEM full, S-1-5-80-1 modify; owned by BA",
		"O:SYD:AI(A;OICI;0x1f01ff;;;SY)(A;ID;FA;;;BU)":                                 "SYSTEM full, (A;ID;FA;;;BU), and inherited entries; owned by SYSTEM",
		`O:SYD:P(XA;OICI;FA;;;WD;(Member_of {SID(BA)} && @USER.a == "x"))`:             `(XA;OICI;FA;;;WD;(Member_of {SID(BA)} && @USER.a == "x")); owned by SYSTEM`,
		"O:S-1-5-21-1D:P":         "nobody; owned by S-1-5-21-1",
		"O:SY":                    "everybody full",
		"O:SYD:NO_ACCESS_CONTROL": "everybody full",
		"":                        "everybody full",
		"x":                       "everybody full",
	} {
		t.Run(sddl, func(t *testing.T) {
			if got := parse(sddl).words(map[string]string{"SY": "SYSTEM"}); got != want {
				t.Errorf("%s is %q, want %q", sddl, got, want)
			}
		})
	}
	d := parse("D:AI(D;;FA;;;BG)(A;;FA;;;SY)(A;ID;FA;;;BA)")
	granted := d.grant(sid)
	if want := "D:AI(D;;FA;;;BG)(A;OICI;0x1301bf;;;S-1-5-80-1)(A;;FA;;;SY)(A;ID;FA;;;BA)"; granted.String() != want || !granted.grants(sid) || d.grants(sid) {
		t.Errorf("granted: %s", granted)
	}
	if again := granted.grant(sid); again.String() != granted.String() {
		t.Errorf("granted twice: %s", again)
	}
	if back := granted.revoke(sid); back.String() != d.String() {
		t.Errorf("revoked: %s", back)
	}
	if got := parse("D:(D;;FA;;;BG)").grant(sid).entries; len(got) != 2 || got[0] != "D;;FA;;;BG" {
		t.Errorf("after what denies: %q", got)
	}
}

func TestTexts_ValuesOfEachType(t *testing.T) {
	for _, list := range [][]string{nil, {"a"}, {"a b", "ü=服务", "𝄞"}} {
		if got := multi(list).texts(); !slices.Equal(got, list) {
			t.Errorf("%q is %q", list, got)
		}
	}
	for _, test := range []struct {
		v    value
		want []string
	}{
		{value{regString, wide("a")}, []string{"a"}}, // without the NUL that some programs omit
		{value{regMulti, wide("a\x00b")}, []string{"a", "b"}},
		{value{regMulti, append(wide("a\x00"), 1)}, []string{"a"}},
		{dword(65), nil},
		{value{3, wide("a\x00")}, nil},
	} {
		t.Run(fmt.Sprint(test.want), func(t *testing.T) {
			if got := test.v.texts(); !slices.Equal(got, test.want) {
				t.Errorf("%v is %q, want %q", test.v, got, test.want)
			}
		})
	}
}

// The numbers are from "Service Security and Access Rights", the letters from "Security Descriptor
// String Format".
func TestRightsOf_LettersAndNumbers(t *testing.T) {
	for text, want := range map[string]uint32{
		"CCDCLCSWRPWPDTLOCRSDRCWDWO": 0xF01FF, // SERVICE_ALL_ACCESS
		"GA":                         0xF01FF,
		"CCLCSWLOCRRC":               0x2018D,
		"CC":                         0x1,
		"DC":                         0x2,
		"LC":                         0x4,
		"SW":                         0x8,
		"RP":                         0x10,
		"WP":                         0x20,
		"DT":                         0x40,
		"LO":                         0x80,
		"CR":                         0x100,
		"SD":                         0x10000,
		"RC":                         0x20000,
		"WD":                         0x40000,
		"WO":                         0x80000,
		"0x40002":                    0x40002,
		"":                           0,
		"XX":                         0,
	} {
		t.Run(text, func(t *testing.T) {
			if got := rightsOf(text); got != want {
				t.Errorf("%s is %#x, want %#x", text, got, want)
			}
		})
	}
}
