// Package scenario is what an operator does with a program and its service manager,
// once for all managers: [Run] does it on a [Bed]. What is expected is asked of the
// manager, of the kernel and of the program itself; of the messages of the command line
// only what an operator needs to find there.
//
// The package is empty on every system but Linux, where the machines run.
package scenario
