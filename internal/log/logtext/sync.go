package logtext

import "errors"

// SyncError is what is left of the error of a logger's Sync: that a terminal, a pipe or
// a console cannot be synced, which is what they say each time, is none.
func SyncError(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var left []error
		for _, e := range several.Unwrap() {
			left = append(left, SyncError(e))
		}
		return errors.Join(left...)
	}
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	for _, spurious := range cannotSync {
		if errors.Is(err, spurious) {
			return nil
		}
	}
	return err
}
