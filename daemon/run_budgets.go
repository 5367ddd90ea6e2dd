package daemon

import (
	"os"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

const (
	kubernetesStop  = 25 * time.Second // terminationGracePeriodSeconds is 30 by default
	containerStop   = 8 * time.Second  // docker stop and podman stop wait for 10 s
	kubernetesDrain = 5 * time.Second
)

// place describes where a run takes place, as far as budgets depend on it: what kills the
// process, and when. The zero value stands for a person, or for a manager that waits as long
// as its configuration says.
type place struct {
	kubernetes bool
	pid1       bool // the process is PID 1, started by a container runtime
}

// placeOf returns the place of the process in env. If a manager started the process, only
// the manager matters, even if both run in a container.
func placeOf(env host.Env) place {
	if !env.Own || env.Managed || env.SCM {
		return place{}
	}
	return place{kubernetes: os.Getenv("KUBERNETES_SERVICE_HOST") != "", pid1: os.Getpid() == 1}
}

// budgets returns the effective Config.StopTimeout and Config.DrainDelay at a place. If
// StopTimeout is zero, the run gives up before the default grace period of the container
// runtime ends: giving up takes place one second and a flush after the deadline.
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
