// Package e2e is the end-to-end tests: real processes under a real systemd, and on
// a real terminal. What a test expects, it asks of the manager or of the kernel,
// never of the log of the library.
//
// The tests with a terminal run on every Linux machine. Those with systemd need
// what package testbed needs, and GLIDEPATH_E2E=1.
package e2e
