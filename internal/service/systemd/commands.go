package systemd

import (
	"strconv"
	"strings"
)

// commandFailed reports whether the unit has failed with another command than its program,
// for example that of ExecStartPre=: the program did not end as Result says.
func (u properties) commandFailed() bool {
	switch u["Result"] {
	case "exit-code":
		return u["ExecMainCode"] != "1" || u["ExecMainStatus"] == "0"
	case "signal":
		return u["ExecMainCode"] != "2"
	case "core-dump":
		return u["ExecMainCode"] != "3"
	}
	return false
}

// failedCommand says which command has failed, and how.
func (u properties) failedCommand() string {
	for _, directive := range []string{"ExecCondition", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost"} {
		for line := range strings.Lines(u[directive]) {
			if text, ended := commandEnd(line); ended != "" {
				return directive + "=" + text + " failed: " + ended
			}
		}
	}
	return "a command that runs before or after it failed (ExecStartPre=, ExecStartPost=, ExecStop=)"
}

// commandEnd parses what systemctl show prints about a command. It returns its text and how
// it failed, or "" for the latter if it did not:
//
//	{ path=/bin/false ; argv[]=/bin/false -x ; ignore_errors=no ; … ; pid=7 ; code=exited ; status=1 }
func commandEnd(line string) (text, failed string) {
	_, rest, _ := strings.Cut(line, " ; argv[]=")
	text, rest, ok := strings.Cut(rest, " ; ignore_errors=no ; ")
	_, end, _ := strings.Cut(rest, " ; code=")
	code, status, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(end), " }"), " ; status=")
	number, _, _ := strings.Cut(status, "/") // 9/KILL
	n, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil || n == 0:
	case code == "exited":
		return text, exitCodeText(n)
	case code == "killed", code == "dumped":
		return text, signalText(n)
	}
	return "", ""
}
