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
	{"address already in use", taken},
	{"only one usage of each socket address", taken},
	{"bind: permission denied", unbound},
	{"bind: an attempt was made to access a socket in a way forbidden by its access permissions", unbound},
	{"$home is not defined", homeless},
	{"nor $home are defined", homeless},
	{"home is not set", homeless},
	{"home not set", homeless},
	{"cannot enable executable stack", executing},
	{"executable memory", executing},
	{"read-only file system", readOnly},
	{"permission denied", denied},
	{"access is denied", always("its account does not let it do something", "give the account the right (Service.Account), or have it use its own folders")},
	{"operation not permitted", notPermitted},
	{"address family not supported", family},
	{"network is unreachable", unreachable},
	{"too many open files", always("it has opened as many files as it may", "raise Service.Limits.OpenFiles (LimitNOFILE=)")},
	{"cannot allocate memory", always("it has no memory left", "raise Service.Limits.Memory (MemoryMax=), or give the machine more")},
	{"resource temporarily unavailable", busy},
	{"failed to create new os thread", always(noThreads, moreThreads)},
	{"no space left on device", full},
	{"executable file not found in $path", always("a program that it calls is not in its PATH, which is not that of a terminal", "call it by its whole path, or set PATH in Service.Environment")},
	{"exec format error", always("a file that it executes is not a program for this machine", "build that for this system and processor; a script begins with #!")},
	{"no such file or directory", missing},
	{"the system cannot find the path specified", missing},
	{"the system cannot find the file specified", missing},
	{"bad system call", always("it has made a system call that its sandbox forbids", "set Service.Hardening.Profile to HardenLenient (SystemCallFilter=)")},
	{"panic: ", always("it has crashed", "the log has the stack")},
	{"fatal error: ", always("Go has given up", "the log has the stack")},
	{"segmentation fault", always("it has crashed", "the log may have the stack")},
	{"sigsegv", always("it has crashed", "the log may have the stack")},
}

const (
	noThreads   = "it may start no more processes and threads"
	moreThreads = "raise Service.Limits.Tasks (TasksMax=)"
)

func always(means, remedy string) func(clue) (string, string) {
	return func(clue) (string, string) { return means, remedy }
}

// listening is what package net says before the error of the system.
var listening = regexp.MustCompile(`listen (tcp|udp|unix)[46]? (\S+?):? `)

// address is where the program wanted to listen, "" if it does not say.
func (c clue) address() (network, address string) {
	found := listening.FindAllStringSubmatch(c.before+" ", -1)
	if len(found) == 0 {
		return "", ""
	}
	last := found[len(found)-1]
	return last[1], last[2]
}

func taken(c clue) (means, remedy string) {
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

func unbound(c clue) (means, remedy string) {
	if network, address := c.address(); network == "unix" {
		c.path, c.doing = address, "bind "
		return denied(c)
	} else if _, port, err := net.SplitHostPort(address); err == nil {
		if n, _ := strconv.Atoi(port); n >= 1024 {
			return denied(c)
		}
	}
	return "it may not listen at a port below 1024", "set Service.Hardening.Profile to HardenLowPorts (AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another port"
}

func homeless(c clue) (means, remedy string) {
	if c.Manager == "systemd" && !c.Spec.User {
		return "the installed unit sets no HOME", "install it again, which sets HOME to " + c.folder() + " (Environment=HOME=)"
	}
	return "it has no HOME", "set HOME in Service.Environment, to " + c.folder()
}

// executing is about memory that a program writes and then executes.
func executing(c clue) (means, remedy string) {
	const what = "its sandbox lets it execute no memory that it has written, as a JIT compiler and some C libraries do"
	if c.is("MemoryDenyWriteExecute") {
		return what, "set Service.Hardening.Profile to HardenLenient (MemoryDenyWriteExecute=)"
	}
	return "the system lets it execute no memory that it has written", "see whether SELinux or AppArmor forbids it: journalctl -k -g denied"
}

func family(c clue) (means, remedy string) {
	if c.is("RestrictAddressFamilies") {
		return "its sandbox does not allow that kind of socket", "name its family, AF_PACKET for example, in Service.Hardening.AddressFamilies (RestrictAddressFamilies=)"
	}
	return "the system does not have that kind of socket", "see whether a module of the kernel is missing, or IPv6 is switched off"
}

func unreachable(c clue) (means, remedy string) {
	if c.is("PrivateNetwork") {
		return "its sandbox leaves it no network except the sockets that it is handed", "set Service.Hardening.Profile to HardenNetwork (PrivateNetwork=)"
	}
	return "the network is not up, or has no route there", `if it is too early, name "network" in Service.Dependencies`
}

func busy(c clue) (means, remedy string) {
	if c.says("fork", "clone", "thread") {
		return noThreads, moreThreads
	}
	return "something that it needs is used up for now", "see the limits in Service.Limits"
}

func full(c clue) (means, remedy string) {
	if c.path == "" {
		return "a disk is full", "df -h shows which"
	}
	return "the disk of " + c.path + " is full", "make room there"
}
