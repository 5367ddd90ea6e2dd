package main

import (
	"errors"
	"fmt"
	"os"
)

// notes is the name of a file that says what has been called, none if it is empty.
type notes string

func (n notes) add(line string) {
	if n == "" {
		return
	}
	f, err := os.OpenFile(string(n), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		// A test that reads the notes would wait in vain.
		panic(err)
	}
}
