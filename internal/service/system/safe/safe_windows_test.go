package safe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func TestADescriptorOfWindowsIsUnderstood(t *testing.T) {
	sd, err := windows.SecurityDescriptorFromString("O:BAD:PAI(D;;FW;;;BU)(A;OICI;FA;;;SY)(A;OICIIO;0x1301bf;;;AU)")
	if err != nil {
		t.Fatal(err)
	}
	o, err := describe(sd, "x", isFolder)
	want := []entry{{deny, 0, 0x120116, users}, {allow, 3, full, system}, {allow, 11, modify, authenticated}}
	if err != nil || o.owner != administrators || o.open || !slices.Equal(o.entries, want) {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, present := range []bool{true, false} { // a DACL that is NULL, and none
		sd, err := windows.NewSecurityDescriptor()
		if err != nil {
			t.Fatal(err)
		}
		if err := sd.SetDACL(nil, present, false); err != nil {
			t.Fatal(err)
		}
		if o, err := describe(sd, "x", isFile); err != nil || !o.open {
			t.Errorf("without a DACL, %t: got %+v, %v", present, o, err)
		}
	}
}

func TestAFileOfAUserIsUnsafe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.exe")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Executable(file, false); !errors.Is(err, service.ErrUnsafe) {
		t.Errorf("got %v", err)
	}
	if _, err := final(file); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotThereIsAnError(t *testing.T) {
	if err := Executable(filepath.Join(t.TempDir(), "web.exe"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestPathsArePlain(t *testing.T) {
	for path, want := range map[string]string{`\\?\C:\d\web.exe`: `C:\d\web.exe`, `\\?\UNC\host\share\web.exe`: `\\host\share\web.exe`, `C:\d`: `C:\d`} {
		if got := plain(path); got != want {
			t.Errorf("%s is %s", path, got)
		}
	}
}
