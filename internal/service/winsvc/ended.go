package winsvc

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// ourCodes explains the exit codes of package daemon.
var ourCodes = map[uint32]string{
	1:   "it failed; its log says how",
	2:   "its command line is wrong",
	78:  "its configuration is wrong; its log says how; fix it before starting the service again",
	124: "it did not stop before its deadline",
}

// ended returns how a service ended, and its exit code.
func ended(s status) (text string, code int) {
	if s.ExitCode != win32.ErrorServiceSpecific {
		return s.ExitCode.Error(), int(s.ExitCode)
	}
	text, ok := ourCodes[s.SpecificCode]
	if !ok {
		text = win32.ErrorServiceSpecific.Text()
	}
	return fmt.Sprintf("%s (code %d/%d)", text, uint32(win32.ErrorServiceSpecific), s.SpecificCode), int(s.SpecificCode)
}
