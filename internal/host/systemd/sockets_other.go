//go:build !unix

package systemd

import "errors"

// seal never finds any: nothing is handed over by number here.
func seal(int, int) error { return errors.New("LISTEN_FDS means nothing on this system") }
