package symptom

import (
	"path"
	"strings"
)

// Folders that systemd can hide from a service.
var (
	homes       = []string{"/home", "/root", "/run/user"}
	temporaries = []string{"/tmp", "/var/tmp"}
)

// memoryWords has the words of those who want to execute what they have written there.
var memoryWords = []string{"mmap", "mprotect", "jit", "mcode", "executable stack"}

// hiddenPath is about a path that the sandbox hides, or makes another one.
func hiddenPath(c clue) (means, remedy string) {
	switch {
	case c.path == "":
	case c.below(homes...) && c.directiveIs("ProtectHome", "yes", "tmpfs"):
		return "its sandbox hides " + c.path + " from it (ProtectHome=" + c.Limits.Directives["ProtectHome"] + ")",
			"move that to " + c.ownFolder() + ", or name it in Service.Hardening.WritablePaths (BindPaths=)"
	case c.below(temporaries...) && c.directiveIs("PrivateTmp") && c.Machine.Exists(c.path):
		return "it has a /tmp of its own, without " + c.path + " (PrivateTmp=" + c.Limits.Directives["PrivateTmp"] + ")",
			"put that into " + c.ownFolder() + ", or name it in Service.Hardening.WritablePaths (BindPaths=)"
	case c.below("/dev") && c.directiveIs("PrivateDevices") && c.Machine.Exists(c.path):
		return "its sandbox hides the device " + c.path + " from it (PrivateDevices=yes)", deviceRemedy(c)
	case c.below("/proc") && c.directiveIs("ProcSubset", "pid") && c.Machine.Exists(c.path):
		return "its sandbox shows it no more of /proc than processes (ProcSubset=pid)", "add ProcSubset=all to Service.Systemd.Service"
	case c.below("/usr/lib/modules", "/lib/modules") && c.directiveIs("ProtectKernelModules"):
		return "its sandbox hides the modules of the kernel from it (ProtectKernelModules=yes)", "name CAP_SYS_MODULE in Service.Hardening.Capabilities"
	case c.below("/dev/kmsg", "/proc/kmsg", "/proc/kallsyms") && c.directiveIs("ProtectKernelLogs"):
		return "its sandbox keeps it from the log of the kernel (ProtectKernelLogs=yes)", "name CAP_SYSLOG in Service.Hardening.Capabilities"
	}
	return "", ""
}

// deviceRemedy says how a service gets a device.
func deviceRemedy(c clue) string {
	lines := []string{"PrivateDevices=no", "DeviceAllow=" + c.path + " rw"}
	if group := c.Machine.Group(c.path); group != "" {
		lines = append(lines, "SupplementaryGroups="+group)
	}
	return "add to Service.Systemd.Service: " + strings.Join(lines, ", ")
}

// kernelFile is about a file that stands for the kernel.
func kernelFile(c clue) (means, remedy string) {
	switch {
	case c.below("/sys/fs/cgroup") && c.directiveIs("ProtectControlGroups"):
		return "its sandbox keeps it from changing control groups (ProtectControlGroups=yes)", "add ProtectControlGroups=no and Delegate=yes to Service.Systemd.Service"
	case c.below("/sys", "/proc") && c.directiveIs("ProtectKernelTunables"):
		return "its sandbox keeps it from changing " + c.path + " (ProtectKernelTunables=yes)", "set that when the machine starts, in /etc/sysctl.d for example; or add ProtectKernelTunables=no to Service.Systemd.Service and let it run as root (Service.Account)"
	}
	return "", ""
}

func readOnly(c clue) (means, remedy string) {
	if means, remedy = kernelFile(c); means != "" {
		return means, remedy
	}
	if means, remedy = hiddenPath(c); means != "" {
		return means, remedy
	}
	switch {
	case c.path == "" && c.directiveIs("ProtectSystem"):
		return "it writes where its sandbox does not let it (ProtectSystem=strict)", "have it write to " + c.ownFolder() + ", or name the path in Service.Hardening.WritablePaths (ReadWritePaths=)"
	case c.directiveIs("ProtectSystem", "strict", "full", "yes"):
		return "its sandbox does not let it write to " + c.path + " (ProtectSystem=" + c.Limits.Directives["ProtectSystem"] + ")",
			"have it write to " + c.ownFolder() + ", or name " + writablePath(c) + " in Service.Hardening.WritablePaths (ReadWritePaths=)"
	}
	if c.path == "" {
		return "it writes to a file system that is mounted read-only", "have it write to " + c.ownFolder()
	}
	return "the file system of " + c.path + " is mounted read-only", "see findmnt -T " + c.path + ", or have it write to " + c.ownFolder()
}

// writablePath is the path that a service is to be given so that it can write to c.path. What
// systemd is to let it write to exists.
func writablePath(c clue) string {
	if c.Machine.Exists(c.path) {
		return c.path
	}
	return path.Dir(c.path)
}

func permissionDenied(c clue) (means, remedy string) {
	if c.mentions(memoryWords...) {
		return memoryExecution(c)
	}
	if means, remedy = hiddenPath(c); means != "" {
		return means, remedy
	}
	to := Read
	switch {
	case c.mentions("mkdir", "create", "write", "rename", "remove", "unlink", "bind", "chmod", "symlink", "link "):
		to = Write
	case c.mentions("exec"):
		to = Execute
	}
	if c.path != "" {
		why, remedy := c.Machine.Barred(c.path, to)
		if why == "" && c.mentions("open") { // for whatever that was
			why, remedy = c.Machine.Barred(c.path, Write)
		}
		if why != "" {
			return why, remedy
		}
		if means, remedy = kernelFile(c); means != "" {
			return means, remedy
		}
		if to == Execute {
			return "it may not execute " + c.path, "see that it is executable for all, and on a file system without noexec: findmnt -T " + c.path
		}
	}
	if c.directiveIs("IPAddressDeny") && c.mentions("dial ", "connect", "send") {
		return "its sandbox keeps it from that address (IPAddressDeny=)", "set Service.Hardening.Profile to HardenNetwork (IPAddressDeny=)"
	}
	what := "do something"
	if c.path != "" {
		what = "use " + c.path
	}
	return "its account, or its sandbox, does not let it " + what,
		"have it use " + c.ownFolder() + ", or change the account (Service.Account) or the rights of the file"
}

// privileges are the capabilities without which a call is not permitted, by a word that
// stands in the error of the call.
var privileges = []struct{ word, capability string }{
	{"lchown", "CAP_CHOWN"},
	{"fchown", "CAP_CHOWN"},
	{"chown", "CAP_CHOWN"},
	{"chroot", "CAP_SYS_CHROOT"},
	{"mknod", "CAP_MKNOD"},
	{"mount", "CAP_SYS_ADMIN"},
	{"unshare", "CAP_SYS_ADMIN"},
	{"setns", "CAP_SYS_ADMIN"},
	{"sethostname", "CAP_SYS_ADMIN"},
	{"setpriority", "CAP_SYS_NICE"},
	{"sched_set", "CAP_SYS_NICE"},
	{"ioprio_set", "CAP_SYS_NICE"},
	{"nice", "CAP_SYS_NICE"},
	{"setrlimit", "CAP_SYS_RESOURCE"},
	{"prlimit", "CAP_SYS_RESOURCE"},
	{"settime", "CAP_SYS_TIME"},
	{"adjtime", "CAP_SYS_TIME"},
	{"setuid", "CAP_SETUID"},
	{"setreuid", "CAP_SETUID"},
	{"setresuid", "CAP_SETUID"},
	{"setgid", "CAP_SETGID"},
	{"setgroups", "CAP_SETGID"},
	{"setresgid", "CAP_SETGID"},
	{"ptrace", "CAP_SYS_PTRACE"},
	{"perf_event_open", "CAP_PERFMON"},
	{"bpf", "CAP_BPF"},
	{"reboot", "CAP_SYS_BOOT"},
	{"init_module", "CAP_SYS_MODULE"},
	{"syslog", "CAP_SYSLOG"},
	{"mlock", "CAP_IPC_LOCK"},
	{"ip4:", "CAP_NET_RAW"},
	{"ip6:", "CAP_NET_RAW"},
	{"ip:", "CAP_NET_RAW"},
	{"socket", "CAP_NET_RAW"},
	{"netlink", "CAP_NET_ADMIN"},
	{"tuntap", "CAP_NET_ADMIN"},
	{"tunsetiff", "CAP_NET_ADMIN"},
	{"ioctl", "CAP_NET_ADMIN"},
}

func notPermitted(c clue) (means, remedy string) {
	if c.mentions(memoryWords...) {
		return memoryExecution(c)
	}
	if means, remedy = hiddenPath(c); means != "" {
		return means, remedy
	}
	if c.below("/dev") && c.directiveIs("DevicePolicy", "closed", "strict") {
		return "its sandbox does not let it use the device " + c.path + " (DevicePolicy=" + c.Limits.Directives["DevicePolicy"] + ")", deviceRemedy(c)
	}
	if c.directiveIs("IPAddressDeny") && c.mentions("dial ", "connect", "send", "write udp", "write tcp") {
		return "its sandbox keeps it from that address (IPAddressDeny=)", "set Service.Hardening.Profile to HardenNetwork (IPAddressDeny=)"
	}
	// The word that stands last is that of the call.
	capability, at := "", -1
	for _, p := range privileges {
		if i := c.lastIndex(p.word); i > at {
			capability, at = p.capability, i
		}
	}
	if capability != "" && c.Manager != "Windows" {
		return "it may not do that without " + capability, "name " + capability + " in Service.Hardening.Capabilities (AmbientCapabilities=, SystemCallFilter=)"
	}
	if c.directiveIs("SystemCallFilter") {
		return "its account, or its sandbox, does not let it do something", "name the capability that it needs in Service.Hardening.Capabilities (AmbientCapabilities=), or set Service.Hardening.Profile to HardenLenient (SystemCallFilter=)"
	}
	return "its account does not let it do something", "name the capability that it needs in Service.Hardening.Capabilities, or change Service.Account"
}

func fileMissing(c clue) (means, remedy string) {
	if means, remedy = hiddenPath(c); means != "" {
		return means, remedy
	}
	switch {
	case c.path == "":
		return "a file that it needs is not there, or is named by a path that is not absolute", "a service looks for those in Service.WorkingDirectory (WorkingDirectory=), / if that is empty: name absolute paths"
	case c.mentions("mount namespacing"):
		return "there is no " + c.path + ", which its unit names (ReadWritePaths=, BindPaths=)", "make it; or take it out of Service.Hardening.WritablePaths and install the service again, or out of the drop-in that names it"
	case c.Machine.Exists(c.path) && c.mentions("exec"):
		return "what " + c.path + " is to be run with is not there: the interpreter of a script, or the loader of a program", "install that, or build the program without it (CGO_ENABLED=0)"
	case c.Machine.Exists(c.path):
		return c.path + " is there now, but was not when the service looked", "start it again; or name the service that makes it in Service.Dependencies"
	}
	return "there is no " + c.path, "make it, or change the path in the configuration of the program"
}
