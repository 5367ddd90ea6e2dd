// Modes is a program that uses the library in the way that -mode names, most of them
// wrong, for the end-to-end tests.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/go-glidepath/glidepath/daemon"
)

func main() {
	mode := flag.String("mode", "", "what to do; without one, the modes are listed")
	n := flag.Int("n", 0, "how often, for a mode that does something many times")
	c := daemon.Config{Name: "modes"}
	flag.DurationVar(&c.StartTimeout, "start-timeout", 0, "Config.StartTimeout")
	flag.DurationVar(&c.StopTimeout, "stop-timeout", 0, "Config.StopTimeout")
	flag.DurationVar(&c.DrainDelay, "drain-delay", 0, "Config.DrainDelay")
	flag.Parse()
	c.Args = flag.Args()

	programs, runs := programs(*n), runs(*n)
	if *mode == "" {
		for _, name := range slices.Sorted(maps.Keys(programs)) {
			fmt.Println(name)
		}
		for _, name := range slices.Sorted(maps.Keys(runs)) {
			fmt.Println(name)
		}
		return
	}
	if run, ok := runs[*mode]; ok {
		os.Exit(daemon.ExitCode(run(c)))
	}
	p, ok := programs[*mode]
	if !ok {
		fmt.Fprintln(os.Stderr, "there is no mode", *mode)
		os.Exit(99)
	}
	daemon.Main(p, c)
}

// programs returns the modes that leave the run to daemon.Main.
func programs(n int) map[string]daemon.Program {
	all := map[string]daemon.Program{}
	for _, some := range []map[string]daemon.Program{
		wellBehaved(), echoes(), failures(), panics(), goexits(), functions(), hanging(), closers(), finishing(), reloading(), multitudes(n),
	} {
		maps.Copy(all, some)
	}
	return all
}
