// Turns runs commands in turn, each as often as its first argument says, and prints how
// long each took from fork to wait4, in nanoseconds: a line for each round, in the
// order of the commands, which are separated by "--".
//
// Who is first changes from round to round. All of them must exit with 0.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "turns:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want a number and commands, separated by --")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	commands := [][]string{nil}
	for _, a := range args[1:] {
		if a == "--" {
			commands = append(commands, nil)
			continue
		}
		last := len(commands) - 1
		commands[last] = append(commands[last], a)
	}
	for i := range n {
		took := make([]string, len(commands))
		for j := range commands {
			which := (i + j) % len(commands)
			d, err := once(commands[which])
			if err != nil {
				return err
			}
			took[which] = strconv.FormatInt(d.Nanoseconds(), 10)
		}
		fmt.Println(strings.Join(took, " "))
	}
	return nil
}

// once runs a command whose output goes to a file: nobody wakes up for it.
func once(argv []string) (time.Duration, error) {
	out, err := os.CreateTemp("", "turns")
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = out.Close(), os.Remove(out.Name()) }()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	begun := time.Now()
	err = cmd.Run()
	took := time.Since(begun)
	if err != nil {
		said, _ := os.ReadFile(out.Name())
		return 0, fmt.Errorf("%q: %w: %s", argv, err, bytes.TrimSpace(said))
	}
	return took, nil
}
