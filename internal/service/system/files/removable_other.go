//go:build !unix

package files

// Removable returns nil: who may remove something here is not up to its folder.
func (Tree) Removable(...string) error { return nil }
