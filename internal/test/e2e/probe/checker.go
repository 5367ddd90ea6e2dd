package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// checker is the ability of a daemon.Checker.
type checker struct {
	how   string
	after time.Time
}

func newChecker(check string) (*checker, error) {
	how, delay, delayed := strings.Cut(check, "-after=")
	c := &checker{how: how}
	switch how {
	case "fail", "hang", "panic":
		d, err := time.ParseDuration(delay)
		if err != nil {
			return nil, fmt.Errorf("-check=%s: %w", check, err)
		}
		c.after = time.Now().Add(d)
		return c, nil
	case "ok", "none":
		if !delayed {
			return c, nil
		}
	}
	return nil, fmt.Errorf("-check=%s: want ok, none, or fail, hang or panic with -after=1s", check)
}

func (c *checker) Check(context.Context) error {
	if time.Now().Before(c.after) {
		return nil
	}
	switch c.how {
	case "fail":
		return errors.New("as asked by -check")
	case "hang":
		select {} // a deadlock does not look at its context
	case "panic":
		panic("as asked by -check")
	}
	return nil
}
