//go:build linux

package testbed

import (
	"flag"
	"fmt"
)

// WaitTogether lets more parallel tests run at once than there are processors,
// unless the command line says how many: they wait, they do not compute. It is for
// TestMain, after [flag.Parse].
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
