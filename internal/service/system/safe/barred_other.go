//go:build !unix

package safe

func barred(string) (why, remedy string) { return "", "" } // files have no such mode
