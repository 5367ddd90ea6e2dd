package systemd

import "testing"

func TestExitCodeText_NamesSignalThatShellReports(t *testing.T) {
	for code, want := range map[int]string{
		139: "exit code 139: a command run by a shell was killed by SIGSEGV",
		134: "exit code 134: a command run by a shell was killed by SIGABRT",
		143: "exit code 143: forced by a second SIGTERM, or a command run by a shell was killed by it",
		128: "exit code 128",
		3:   "exit code 3",
	} {
		if got := exitCodeText(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}
