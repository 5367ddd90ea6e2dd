//go:build !windows

// Installer runs on Windows only.
package main

func main() {}
