package runctx

import (
	"context"
	"reflect"
)

// Consequence reports whether err says nothing but that ctx has ended.
func Consequence(ctx context.Context, err error) bool {
	if ctx.Err() == nil {
		return false
	}
	return only(err, ctx.Err(), context.Cause(ctx))
}

// only reports whether err is ended or cause, or wraps nothing but these: an error
// joined to them is one that somebody has to hear of.
func only(err, ended, cause error) bool {
	for err != nil {
		if Same(err, ended) || Same(err, cause) {
			return true
		}
		switch w := err.(type) {
		case interface{ Unwrap() error }:
			err = w.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range w.Unwrap() {
				if !only(e, ended, cause) {
					return false
				}
			}
			return true
		default:
			return false
		}
	}
	return false
}

// Same reports whether a and b are one error. Errors need not be comparable.
func Same(a, b error) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
