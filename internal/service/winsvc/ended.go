package winsvc

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// ourCodes are the exit codes of package daemon.
var ourCodes = map[uint32]string{
	1:   "it has failed, its log says how",
	2:   "its command line is wrong",
	78:  "its configuration is wrong, its log says how; it is of no use to start it again before that is mended",
	124: "it had not stopped at its deadline",
}

// ended says how a service has ended, and with which code.
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
