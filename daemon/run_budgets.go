package daemon

import (
	"os"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

const (
	kubernetesStop  = 25 * time.Second // terminationGracePeriodSeconds is 30 unless it is set
	containerStop   = 8 * time.Second  // docker stop and podman stop wait for 10 s
	kubernetesDrain = 5 * time.Second
)

// place is where a run runs, as far as budgets depend on it: who kills it, and when.
// The zero value is a manager that waits for as long as it was told, or a person.
type place struct {
	kubernetes bool
	pid1       bool // PID 1, which a container runtime has started
}

// placeOf returns the place of env's process. A process that a manager has started goes
// by that, whatever its environment says of the container around both.
func placeOf(env host.Env) place {
	if !env.Own || env.Managed || env.SCM {
		return place{}
	}
	return place{kubernetes: os.Getenv("KUBERNETES_SERVICE_HOST") != "", pid1: os.Getpid() == 1}
}

// budgets returns what Config.StopTimeout and Config.DrainDelay mean at a place. Where
// the former is zero, giving up comes before the default grace of a container runtime
// ends: a second and a flush later than the deadline.
func budgets(stop, drain time.Duration, at place) (stopTimeout, drainDelay time.Duration) {
	whole := defaultStopTimeout
	switch {
	case at.kubernetes:
		whole = kubernetesStop
	case at.pid1:
		whole = containerStop
	}
	byDefault := at.kubernetes && drain == 0
	if stop == 0 {
		stop = whole
		drain = time.Duration(float64(drain) * float64(whole) / float64(defaultStopTimeout))
	}
	if byDefault {
		drain = min(kubernetesDrain, stop/2)
	}
	return stop, drain
}
