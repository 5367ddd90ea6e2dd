//go:build linux

package sysv

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/initd/scenario"
	"github.com/go-glidepath/glidepath/internal/testbed"
)

var bed scenario.Bed

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := bed.Run(m, testbed.BootSysV)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func TestOnSysV(t *testing.T) {
	testbed.Require(t)
	m := New(bed.Service(), Runlevels)
	m.m.Safe = func(string, bool) error { return nil } // it would look at the host's folders
	t.Run("a whole life, twice", func(t *testing.T) { bed.Life(t, m, "0077") })
	t.Run("a stop that hangs is ended by a kill", func(t *testing.T) { bed.Stubborn(t, m) })
	t.Run("a start that fails is an error", func(t *testing.T) { bed.Failing(t, m) })
	t.Run("two services of one executable", func(t *testing.T) { bed.Twins(t, m) })
}
