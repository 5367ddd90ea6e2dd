// Package listens finds out which process listens at an address.
package listens

// Who names the process that listens at an address, such as "nginx, process 42". It
// returns "" if none does, or if this process may not know.
func Who(network, address string) string { return who(network, address) }
