package dirs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestGuarded(t *testing.T) {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	own := me.User.Sid.String()
	for sddl, says := range map[string]string{
		"O:BA" + forAdministrators:                       "",
		"O:SYD:(A;OICI;FA;;;SY)(A;;FR;;;WD)":             "",
		"O:" + own + "D:(A;;FA;;;" + own + ")":           "",
		"O:BAD:(A;OICIIO;FA;;;CO)(A;OICI;0x1200a9;;;BU)": "",
		"O:BAD:(A;OICIIO;FA;;;BU)":                       "", // applies only to new files in it
		"O:BAD:(D;;FA;;;BU)":                             "",
		"O:BAD:(A;;FA;;;WD)":                             "S-1-1-0 can write",
		"O:BAD:(A;CI;0x2;;;BU)":                          "S-1-5-32-545 can write", // %ProgramData% passes this on
		"O:BAD:(A;;WD;;;BU)":                             "can write",
		"O:BAD:(A;;GW;;;AU)":                             "can write",
		"O:BAD:(A;;FA;;;S-1-5-80-1-2-3-4-5)":             "can write", // a service's own account
		"O:S-1-5-21-1-2-3-1001D:(A;;FA;;;BA)":            "belongs to S-1-5-21-1-2-3-1001",
		"O:BA":                                           "everybody can write",
	} {
		t.Run(sddl, func(t *testing.T) {
			sd, err := windows.SecurityDescriptorFromString(sddl)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			err = guarded(`C:\x`, sd)
			if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("%v, want %q", err, says)
			}
		})
	}
}

func TestPrivate_AcceptsOnlyFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "web")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := private(file); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("a file: %v", err)
	}
	if err := private(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if err := private(dir); err != nil {
		t.Errorf("a folder: %v", err)
	}
}

func TestOwn_SystemFolderIsForAdministrators(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web")
	if err := own(dir, "web", true); err != nil {
		t.Fatal(err)
	}
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	for _, others := range []string{";;;BU)", ";;;AU)", ";;;S-1-1-0)"} {
		if strings.Contains(sd.String(), others) {
			t.Errorf("others have rights: %s", sd)
		}
	}
}
