package symptom

import (
	"net"
	"regexp"
	"strconv"
)

// sign is a part of an error, in lower case, and what it means.
type sign struct {
	text  string
	judge func(c clue) (means, remedy string)
}

// CrashSigns are the signs that only tell that the program has crashed.
var CrashSigns = []string{"panic: ", "fatal error: ", "segmentation fault", "sigsegv"}

// signs are all that are known, those that say more first.
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
	{"access is denied", explain("its account does not let it do something", "give the account the right (Service.Account), or have it use its own folders")},
	{"operation not permitted", notPermitted},
	{"address family not supported", noAddressFamily},
	{"network is unreachable", networkUnreachable},
	{"too many open files", explain("it has opened as many files as it may", "raise Service.Limits.OpenFiles (LimitNOFILE=)")},
	{"cannot allocate memory", explain("it has no memory left", "raise Service.Limits.Memory (MemoryMax=), or give the machine more")},
	{"resource temporarily unavailable", resourceBusy},
	{"failed to create new os thread", explain(noThreads, moreThreads)},
	{"no space left on device", diskFull},
	{"executable file not found in $path", explain("a program that it calls is not in its PATH, which is not that of a terminal", "call it by its whole path, or set PATH in Service.Environment")},
	{"exec format error", explain("a file that it executes is not a program for this machine", "build that for this system and processor; a script begins with #!")},
	{"no such file or directory", fileMissing},
	{"the system cannot find the path specified", fileMissing},
	{"the system cannot find the file specified", fileMissing},
	{"bad system call", explain("it has made a system call that its sandbox forbids", "set Service.Hardening.Profile to HardenLenient (SystemCallFilter=)")},
	{"panic: ", explain("it has crashed", "the log has the stack")},
	{"fatal error: ", explain("Go has given up", "the log has the stack")},
	{"segmentation fault", explain("it has crashed", "the log may have the stack")},
	{"sigsegv", explain("it has crashed", "the log may have the stack")},
}

const (
	noThreads   = "it may start no more processes and threads"
	moreThreads = "raise Service.Limits.Tasks (TasksMax=)"
)

func explain(means, remedy string) func(clue) (string, string) {
	return func(clue) (string, string) { return means, remedy }
}

// listenError is what package net says before the error of the system.
var listenError = regexp.MustCompile(`listen (tcp|udp|unix)[46]? (\S+?):? `)

// address is where the program wanted to listen, "" if it does not say.
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
		return "an address that it listens at is taken", "find out by whom, with ss -ltnp or netstat -abno"
	}
	if who := c.Machine.Listens(network, address); who != "" {
		return address + " is taken by " + who, "stop that, or choose another address"
	}
	_, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return address + " is taken", "find out by whom, as root: ss -lxp"
	case c.Manager == "Windows":
		return address + " is taken", "find out by whom, as an administrator: netstat -abno | findstr :" + port
	case network == "udp":
		return address + " is taken", "find out by whom, as root: ss -lunp sport = :" + port
	}
	return address + " is taken", "find out by whom, as root: ss -ltnp sport = :" + port
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
	return "it may not listen at a port below 1024", "set Service.Hardening.Profile to HardenLowPorts (AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another port"
}

func noHome(c clue) (means, remedy string) {
	if c.Manager == "systemd" && !c.Spec.User {
		return "the installed unit sets no HOME", "install it again, which sets HOME to " + c.ownFolder() + " (Environment=HOME=)"
	}
	return "it has no HOME", "set HOME in Service.Environment, to " + c.ownFolder()
}

// memoryExecution is about memory that a program writes and then executes.
func memoryExecution(c clue) (means, remedy string) {
	const what = "its sandbox lets it execute no memory that it has written, as a JIT compiler and some C libraries do"
	if c.directiveIs("MemoryDenyWriteExecute") {
		return what, "set Service.Hardening.Profile to HardenLenient (MemoryDenyWriteExecute=)"
	}
	return "the system lets it execute no memory that it has written", "see whether SELinux or AppArmor forbids it: journalctl -k -g denied"
}

func noAddressFamily(c clue) (means, remedy string) {
	if c.directiveIs("RestrictAddressFamilies") {
		return "its sandbox does not allow that kind of socket", "name its family, AF_PACKET for example, in Service.Hardening.AddressFamilies (RestrictAddressFamilies=)"
	}
	return "the system does not have that kind of socket", "see whether a module of the kernel is missing, or IPv6 is switched off"
}

func networkUnreachable(c clue) (means, remedy string) {
	if c.directiveIs("PrivateNetwork") {
		return "its sandbox leaves it no network except the sockets that it is handed", "set Service.Hardening.Profile to HardenNetwork (PrivateNetwork=)"
	}
	return "the network is not up, or has no route there", `if it is too early, name "network" in Service.Dependencies`
}

func resourceBusy(c clue) (means, remedy string) {
	if c.mentions("fork", "clone", "thread") {
		return noThreads, moreThreads
	}
	return "something that it needs is used up for now", "see the limits in Service.Limits"
}

func diskFull(c clue) (means, remedy string) {
	if c.path == "" {
		return "a disk is full", "df -h shows which"
	}
	return "the disk of " + c.path + " is full", "make room there"
}
