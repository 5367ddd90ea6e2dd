//go:build !linux

package main

import "fmt"

func main() { fmt.Println("The benchmarks play systemd, and so run on Linux only.") }
