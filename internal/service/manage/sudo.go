package manage

import (
	"os"
	"os/exec"
)

// Sudo returns what stands before a command that only root may call, as the operator has to
// type it: "" in a shell of root.
func Sudo() string { return sudo(os.Geteuid(), os.Getenv, exec.LookPath) }

func sudo(uid int, getenv func(string) string, look func(string) (string, error)) string {
	switch {
	case uid < 0: // Windows
		return ""
	case getenv("SUDO_USER") != "":
		return "sudo " // this process is root's, the shell may be another's
	case getenv("DOAS_USER") != "":
		return "doas "
	case uid == 0:
		return ""
	}
	for _, tool := range []string{"sudo", "doas"} {
		if _, err := look(tool); err == nil {
			return tool + " "
		}
	}
	return ""
}
