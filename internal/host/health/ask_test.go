package health

import (
	"errors"
	"io/fs"
	"testing"
)

func TestChoose_OnlyTrustedPeers(t *testing.T) {
	ours := func(pid int) peer { return peer{pid: pid, ours: true} }
	other := func(pid int) peer { return peer{pid: pid, user: "user 65534"} }
	for name, test := range map[string]struct {
		peers []peer
		pid   int
		want  int // the PID of the chosen peer
		err   error
	}{
		"nobody":                            {nil, 0, 0, ErrNone},
		"one":                               {[]peer{ours(7)}, 0, 7, nil},
		"the first of two":                  {[]peer{ours(9), ours(7)}, 0, 7, nil},
		"another user's":                    {[]peer{other(7)}, 0, 0, fs.ErrPermission},
		"another user's and ours":           {[]peer{other(7), ours(9)}, 0, 9, nil},
		"the first process of a container":  {[]peer{other(1)}, 0, 1, nil},
		"one of another container":          {[]peer{ours(0)}, 0, 0, ErrNone},
		"the manager's":                     {[]peer{ours(7), other(9)}, 9, 9, nil},
		"not the manager's":                 {[]peer{ours(7), other(8)}, 9, 0, ErrNone},
		"of another container, the manager": {[]peer{ours(0)}, 9, 0, ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(test.peers, test.pid)
			if got.pid != test.want || !errors.Is(err, test.err) {
				t.Errorf("got process %d, %v, want %d, %v", got.pid, err, test.want, test.err)
			}
		})
	}
}
