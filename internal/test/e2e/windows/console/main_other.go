//go:build !windows

// Console runs on Windows only.
package main

func main() {}
