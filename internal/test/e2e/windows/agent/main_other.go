//go:build !windows

// Agent runs on Windows only.
package main

func main() {}
