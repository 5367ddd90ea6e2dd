//go:build !unix

package main

// There is no signal to send.
func main() {}
