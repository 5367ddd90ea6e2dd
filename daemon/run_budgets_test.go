package daemon

import (
	"os"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

func TestBudgets_FitTheGracePeriodOfThePlace(t *testing.T) {
	kubernetes, container, first := place{kubernetes: true}, place{pid1: true}, place{kubernetes: true, pid1: true}
	for _, test := range []struct {
		name                string
		at                  place
		stop, drain         time.Duration
		wantStop, wantDrain time.Duration
	}{
		{"elsewhere", place{}, 0, 0, 30 * time.Second, 0},
		{"elsewhere, with a drain delay", place{}, 0, 10 * time.Second, 30 * time.Second, 10 * time.Second},
		{"elsewhere, as configured", place{}, time.Minute, time.Second, time.Minute, time.Second},
		{"in Kubernetes", kubernetes, 0, 0, 25 * time.Second, 5 * time.Second},
		{"in Kubernetes, as PID 1", first, 0, 0, 25 * time.Second, 5 * time.Second},
		{"in Kubernetes, with a drain delay", kubernetes, 0, 12 * time.Second, 25 * time.Second, 10 * time.Second},
		{"in Kubernetes, without one", kubernetes, 0, 1, 25 * time.Second, 0},
		{"in Kubernetes, with a short grace", kubernetes, 4 * time.Second, 0, 4 * time.Second, 2 * time.Second},
		{"in Kubernetes, with a long grace", kubernetes, time.Hour, 0, time.Hour, 5 * time.Second},
		{"in Kubernetes, as configured", kubernetes, 40 * time.Second, 8 * time.Second, 40 * time.Second, 8 * time.Second},
		{"in a container", container, 0, 0, 8 * time.Second, 0},
		{"in a container, with a drain delay", container, 0, 15 * time.Second, 8 * time.Second, 4 * time.Second},
		{"in a container, as configured", container, 20 * time.Second, 15 * time.Second, 20 * time.Second, 15 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			stop, drain := budgets(test.stop, test.drain, test.at)
			if stop != test.wantStop || drain != test.wantDrain {
				t.Errorf("got %s and %s, want %s and %s", stop, drain, test.wantStop, test.wantDrain)
			}
		})
	}
}

func TestPlaceOf_ManagerOrTestIsNotAContainer(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	for name, test := range map[string]struct {
		env  host.Env
		want place
	}{
		"a pod":                    {host.Env{Own: true}, place{kubernetes: true, pid1: os.Getpid() == 1}},
		"a test in a pod":          {host.Env{}, place{}},
		"a service of systemd":     {host.Env{Own: true, Managed: true}, place{}},
		"a service of Windows":     {host.Env{Own: true, SCM: true}, place{}},
		"a double of their doings": {host.Env{SCM: true}, place{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := placeOf(test.env); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func TestBudgets_InstallDoesNotDependOnThePlace(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	s, err := Config{Name: "web"}.spec(idle{}, "/usr/local/bin/web", nil)
	if err != nil || s.StopTimeout != defaultStopTimeout {
		t.Errorf("the manager waits for %s, %v", s.StopTimeout, err)
	}
}
