//go:build linux

package scenario

import "testing"

// Run does everything on the bed.
func Run(t *testing.T, b Bed) {
	Tight(t, b)
	Operate(t, b)
}

// Tight is installations on disks that are full, or cannot be written to. Nothing else may
// happen on the machine meanwhile.
func Tight(t *testing.T, b Bed) {
	for _, test := range []struct {
		name string
		do   func(*testing.T, Bed)
	}{
		{"a full disk leaves nothing half installed", fullDisk},
		{"a full disk leaves the old service as it was", fullDiskAtUpdate},
		{"a read-only disk leaves nothing half installed", readOnly},
	} {
		t.Run(test.name, func(t *testing.T) { test.do(t, b) })
	}
}

// Operate is everything else. Its parts run at the same time, once the test that calls
// it has returned.
func Operate(t *testing.T, b Bed) {
	can := b.Can()
	for _, test := range []struct {
		name  string
		there bool // what it is about
		do    func(*testing.T, Bed)
	}{
		{"a service lives twice, in a folder with an odd name, with odd arguments", true, life},
		{"a service is uninstalled while it runs", true, uninstallWhileRunning},
		{"purge takes what the service has written", true, purge},
		{"two services of one program know nothing of each other", true, two},
		{"what stands before the command is the service's, with a parser of the program's", true, ownParser},
		{"instances of a template share nothing but what they are", can.Environment, instances},
		{"what stands before the command is the service's, without a parser", true, noParser},
		{"the log of a service is followed", can.Logs, follow},
		{"a wrong command line is refused before anything happens", true, wrongUsage},
		{"what cannot be carried over is refused before anything happens", true, wrongConfig},
		{"who has no rights is told what to do", can.Unprivileged, noRights},
		{"a service that fails to start says why", true, failsToStart},
		{"a service that has ended with a code says which", can.Notices, endsWithCode},
		{"a job that finishes was started", true, finishes},
		{"a service that crashes is started again", can.Restarts, crashes},
		{"a service that panics leaves the text of it", can.Notices, panics},
		{"a service that hangs in Stop is killed", true, hangs},
		{"a program that others can replace is not installed", true, unsafePlace},
		{"a service of kardianos/service is taken over", can.Whole, takeover},
		{"a service reads variables from a file, of which nothing is run", can.Whole && can.Environment, environmentFile},
		{"variables of a service of kardianos/service stay", can.Whole && can.Environment, keptFile},
		{"a service of somebody else is not overwritten", true, foreign},
		{"the service runs as who is asked for", can.Whole, account},
		{"of two commands at once the second is told of the first", can.Whole && can.Kills > 0, busy},
		{"the next command cleans up what a killed one has left", can.Whole && can.Kills > 0, killed},
	} {
		if test.there {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.do(t, b)
			})
		}
	}
}

// Logs is what there is to see in logs.
func Logs(t *testing.T, b Bed) {
	t.Run("the log of a service is followed", func(t *testing.T) { follow(t, b) })
	t.Run("a service that fails to start says why", func(t *testing.T) { failsToStart(t, b) })
}
