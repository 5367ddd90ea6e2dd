//go:build linux

package testbed

import (
	"flag"
	"fmt"
)

// WaitTogether allows more parallel tests than there are processors, unless the command line
// sets a number: these tests mostly wait. Call it in TestMain, after [flag.Parse].
func WaitTogether() error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	if err := flag.Set("test.parallel", "12"); err != nil {
		return fmt.Errorf("let tests wait together: %w", err)
	}
	return nil
}
