//go:build !windows

// Eventlog runs on Windows only.
package main

func main() {}
