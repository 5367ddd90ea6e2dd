package logtext

import "errors"

// SyncError returns err without the errors that terminals, pipes and consoles always return
// from Sync because they cannot be synced.
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
