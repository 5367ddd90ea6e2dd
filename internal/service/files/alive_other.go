//go:build !unix

package files

func alive(int) bool { return true } // nothing is swept where it cannot be told
