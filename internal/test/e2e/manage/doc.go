// Package manage tests the commands of the command line, install and what comes after
// it, on real service managers: systemd, with units of the machine and of a user, OpenRC
// and the init of System V. Those of Windows are in internal/test/e2e/windows.
//
// All need what package testbed needs, and GLIDEPATH_E2E=1.
package manage
