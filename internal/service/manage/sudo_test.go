package manage

import (
	"os/exec"
	"testing"
)

func TestSudoIsSuggestedToThoseWhoNeedIt(t *testing.T) {
	for _, test := range []struct {
		uid            int
		variable, tool string
		want           string
	}{
		{0, "", "sudo", ""},
		{1000, "", "sudo", "sudo "},
		{1000, "", "doas", "doas "},
		{1000, "", "", ""},
		{0, "SUDO_USER", "sudo", "sudo "},
		{0, "DOAS_USER", "doas", "doas "},
		{-1, "", "", ""},
	} {
		getenv := func(name string) string {
			if name == test.variable {
				return "bob"
			}
			return ""
		}
		look := func(name string) (string, error) {
			if name == test.tool {
				return "/usr/bin/" + name, nil
			}
			return "", exec.ErrNotFound
		}
		if got := sudo(test.uid, getenv, look); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
