package symptom

import (
	"net"
	"regexp"
	"strconv"
)

// sign is part of an error, in lower case, with a function that says what it means.
type sign struct {
	text  string
	judge func(c clue) (means, remedy string)
}

// CrashSigns are the signs that tell nothing except that the program has crashed.
var CrashSigns = []string{"panic: ", "fatal error: ", "segmentation fault", "sigsegv"}

// signs lists all known signs. Those that say more come first.
var signs = []sign{
	{"address already in use", addressInUse},
	{"only one usage of each socket address", addressInUse},
	{"bind: permission denied", bindDenied},
	{"bind: an attempt was made to access a socket in a way forbidden by its access permissions", bindDenied},
	{"$home is not defined", noHome},
	{"nor $home are defined", noHome},
	{"home is not set", noHome},
	{"home not set", noHome},
	{"cannot enable executable stack", memoryExecution},
	{"executable memory", memoryExecution},
	{"read-only file system", readOnly},
	{"permission denied", permissionDenied},
	{"access is denied", explain("its account does not let it do something", "give the account the permission (Service.Account), or have it use its own folders")},
	{"operation not permitted", notPermitted},
	{"address family not supported", noAddressFamily},
	{"network is unreachable", networkUnreachable},
	{"too many open files", explain("it has reached its limit of open files", "raise Service.Limits.OpenFiles (LimitNOFILE=)")},
	{"cannot allocate memory", explain("it has no memory left", "raise Service.Limits.Memory (MemoryMax=), or give the machine more")},
	{"resource temporarily unavailable", resourceBusy},
	{"failed to create new os thread", explain(noThreads, moreThreads)},
	{"no space left on device", diskFull},
	{"executable file not found in $path", explain("a program that it calls is not in its PATH, which differs from that of a terminal", "call it by its full path, or set PATH in Service.Environment")},
	{"exec format error", explain("a file that it executes is not a program for this machine", "build it for this system and processor; a script has to begin with #!")},
	{"no such file or directory", fileMissing},
	{"the system cannot find the path specified", fileMissing},
	{"the system cannot find the file specified", fileMissing},
	{"bad system call", explain("it has made a system call that its sandbox forbids", "set Service.Hardening.Profile to service.Lenient (SystemCallFilter=)")},
	{"panic: ", explain("it has crashed", "the log has the stack")},
	{"fatal error: ", explain("the Go runtime has given up", "the log has the stack")},
	{"segmentation fault", explain("it has crashed", "the log may have the stack")},
	{"sigsegv", explain("it has crashed", "the log may have the stack")},
}

const (
	noThreads   = "it has reached its limit of processes and threads"
	moreThreads = "raise Service.Limits.Tasks (TasksMax=)"
)

// explain returns a judge that gives the same explanation in every case.
func explain(means, remedy string) func(clue) (string, string) {
	return func(clue) (string, string) { return means, remedy }
}

// listenError matches what package net puts before the error of the system.
var listenError = regexp.MustCompile(`listen (tcp|udp|unix)[46]? (\S+?):? `)

// address returns where the program tried to listen, or "" if the log does not say.
func (c clue) address() (network, address string) {
	found := listenError.FindAllStringSubmatch(c.before+" ", -1)
	if len(found) == 0 {
		return "", ""
	}
	last := found[len(found)-1]
	return last[1], last[2]
}

func addressInUse(c clue) (means, remedy string) {
	network, address := c.address()
	if address == "" {
		return "an address that it listens on is in use", "find the process with ss -ltnp or netstat -abno"
	}
	if who := c.Machine.Listens(network, address); who != "" {
		return address + " is in use by " + who, "stop that, or choose another address"
	}
	_, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return address + " is in use", "find the process, as root: ss -lxp"
	case c.Manager == "Windows":
		return address + " is in use", "find the process, as an administrator: netstat -abno | findstr :" + port
	case network == "udp":
		return address + " is in use", "find the process, as root: ss -lunp sport = :" + port
	}
	return address + " is in use", "find the process, as root: ss -ltnp sport = :" + port
}

func bindDenied(c clue) (means, remedy string) {
	if network, address := c.address(); network == "unix" {
		c.path, c.action = address, "bind "
		return permissionDenied(c)
	} else if _, port, err := net.SplitHostPort(address); err == nil {
		if n, _ := strconv.Atoi(port); n >= 1024 {
			return permissionDenied(c)
		}
	}
	return "it may not listen on a port below 1024", "set Service.Hardening.Profile to service.LowPorts (AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another port"
}

func noHome(c clue) (means, remedy string) {
	if c.Manager == "systemd" && !c.Spec.User {
		return "the installed unit sets no HOME", "install it again, which sets HOME to " + c.ownFolder() + " (Environment=HOME=)"
	}
	return "HOME is not set", "set HOME in Service.Environment, to " + c.ownFolder()
}

// memoryExecution explains that a program may not execute memory that it has written.
func memoryExecution(c clue) (means, remedy string) {
	const what = "its sandbox does not let it execute memory that it has written, as JIT compilers and some C libraries do"
	if c.directiveIs("MemoryDenyWriteExecute") {
		return what, "set Service.Hardening.Profile to service.Lenient (MemoryDenyWriteExecute=)"
	}
	return "the system does not let it execute memory that it has written", "check whether SELinux or AppArmor forbids it: journalctl -k -g denied"
}

func noAddressFamily(c clue) (means, remedy string) {
	if c.directiveIs("RestrictAddressFamilies") {
		return "its sandbox does not allow that kind of socket", "add its family, for example AF_PACKET, to Service.Hardening.AddressFamilies (RestrictAddressFamilies=)"
	}
	return "the system does not support that kind of socket", "check whether a kernel module is missing or IPv6 is disabled"
}

func networkUnreachable(c clue) (means, remedy string) {
	if c.directiveIs("PrivateNetwork") {
		return "its sandbox gives it no network except the sockets that it inherits", "set Service.Hardening.Profile to service.Network (PrivateNetwork=)"
	}
	return "the network is not up, or has no route there", `if it starts too early, add "network" to Service.Dependencies`
}

func resourceBusy(c clue) (means, remedy string) {
	if c.mentions("fork", "clone", "thread") {
		return noThreads, moreThreads
	}
	return "something that it needs is used up at the moment", "check the limits in Service.Limits"
}

func diskFull(c clue) (means, remedy string) {
	if c.path == "" {
		return "a disk is full", "df -h shows which"
	}
	return "the disk of " + c.path + " is full", "free some space there"
}
