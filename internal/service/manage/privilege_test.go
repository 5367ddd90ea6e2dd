package manage

import (
	"errors"
	"runtime"
	"testing"
)

func TestAPrivilegeThatWindowsDoesNotKnowIsWrong(t *testing.T) {
	for name, known := range map[string]bool{
		"SeBackupPrivilege": true, "SeTcbPrivilege": true, "SeDelegateSessionUserImpersonatePrivilege": true,
		"SeNoSuchPrivilege": false, "SeServiceLogonRight": false, "SePrivilege": false, "SeBackup": false,
	} {
		s := sound()
		s.Hardening.Capabilities = append(s.Hardening.Capabilities, name)
		wrong := !known && runtime.GOOS != "windows" // which is asked when it is planned
		if err := s.Check(); Privilege(name) != known || errors.Is(err, ErrConfig) != wrong {
			t.Errorf("%s: %t, %v", name, Privilege(name), err)
		}
	}
}
