package symptom

import (
	"path"
	"regexp"
	"strings"
)

// systemd can hide these folders from a service.
var (
	homes       = []string{"/home", "/root", "/run/user"}
	temporaries = []string{"/tmp", "/var/tmp"}
)

// memoryWords occur in the errors of programs that execute memory which they have written.
var memoryWords = []string{"mmap", "mprotect", "jit", "mcode", "executable stack"}

// process matches the path of a process, or of something below it.
var process = regexp.MustCompile(`^/proc/[0-9]+(?:/|$)`)

// hiddenPath explains a path that the sandbox hides or replaces.
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
		return "its sandbox shows it only the processes in /proc (ProcSubset=pid)", "add ProcSubset=all to Service.Systemd.Service"
	case c.directiveIs("ProtectProc", "invisible", "noaccess", "ptraceable") && process.MatchString(c.path) && c.Machine.Exists(c.path):
		return "its sandbox hides the processes of other users from it (ProtectProc=" + c.Limits.Directives["ProtectProc"] + ")", "add ProtectProc=default to Service.Systemd.Service"
	case c.below("/usr/lib/modules", "/lib/modules") && c.directiveIs("ProtectKernelModules"):
		return "its sandbox hides the kernel modules from it (ProtectKernelModules=yes)", "add CAP_SYS_MODULE to Service.Hardening.Capabilities"
	case c.below("/dev/kmsg", "/proc/kmsg", "/proc/kallsyms") && c.directiveIs("ProtectKernelLogs"):
		return "its sandbox keeps it from the kernel log (ProtectKernelLogs=yes)", "add CAP_SYSLOG to Service.Hardening.Capabilities"
	}
	return "", ""
}

// deviceRemedy says how to give a service a device.
func deviceRemedy(c clue) string {
	lines := []string{"PrivateDevices=no", "DeviceAllow=" + c.path + " rw"}
	if group := c.Machine.Group(c.path); group != "" {
		lines = append(lines, "SupplementaryGroups="+group)
	}
	return "add to Service.Systemd.Service: " + strings.Join(lines, ", ")
}

// kernelFile explains a file that represents the kernel.
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
		return "it writes to a path that its sandbox keeps read-only (ProtectSystem=strict)", "have it write to " + c.ownFolder() + ", or name the path in Service.Hardening.WritablePaths (ReadWritePaths=)"
	case c.directiveIs("ProtectSystem", "strict", "full", "yes"):
		return "its sandbox does not let it write to " + c.path + " (ProtectSystem=" + c.Limits.Directives["ProtectSystem"] + ")",
			"have it write to " + c.ownFolder() + ", or name " + writablePath(c) + " in Service.Hardening.WritablePaths (ReadWritePaths=)"
	}
	if c.path == "" {
		return "it writes to a file system that is mounted read-only", "have it write to " + c.ownFolder()
	}
	return "the file system of " + c.path + " is mounted read-only", "see findmnt -T " + c.path + ", or have it write to " + c.ownFolder()
}

// writablePath returns the path to name in WritablePaths so that the service can write to
// c.path. systemd requires that it exists.
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
		if why == "" && c.mentions("open") { // the error does not say for what
			why, remedy = c.Machine.Barred(c.path, Write)
		}
		if why != "" {
			return why, remedy
		}
		if means, remedy = kernelFile(c); means != "" {
			return means, remedy
		}
		if to == Execute {
			return "it may not execute " + c.path, "check that everyone may execute it, and that its file system is not mounted with noexec: findmnt -T " + c.path
		}
	}
	if c.directiveIs("IPAddressDeny") && c.mentions("dial ", "connect", "send") {
		return "its sandbox blocks that address (IPAddressDeny=)", "set Service.Hardening.Profile to service.Network (IPAddressDeny=)"
	}
	what := "do something"
	if c.path != "" {
		what = "use " + c.path
	}
	return "its account or its sandbox does not let it " + what,
		"have it use " + c.ownFolder() + ", or change the account (Service.Account) or the permissions of the file"
}

// privileges lists the capabilities that a call needs, by a word in the error of the call.
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
		return "its sandbox blocks that address (IPAddressDeny=)", "set Service.Hardening.Profile to service.Network (IPAddressDeny=)"
	}
	// The last of the words belongs to the call.
	capability, at := "", -1
	for _, p := range privileges {
		if i := c.lastIndex(p.word); i > at {
			capability, at = p.capability, i
		}
	}
	if capability != "" && c.Manager != "Windows" {
		return "it cannot do that without " + capability, "add " + capability + " to Service.Hardening.Capabilities (AmbientCapabilities=, SystemCallFilter=)"
	}
	if c.directiveIs("SystemCallFilter") {
		return "its account or its sandbox does not let it do something", "add the capability that it needs to Service.Hardening.Capabilities (AmbientCapabilities=), or set Service.Hardening.Profile to service.Lenient (SystemCallFilter=)"
	}
	return "its account does not let it do something", "add the capability that it needs to Service.Hardening.Capabilities, or change Service.Account"
}

func fileMissing(c clue) (means, remedy string) {
	if means, remedy = hiddenPath(c); means != "" {
		return means, remedy
	}
	if c.path == "" && c.mentions("failed to load environment files") {
		for file := range strings.SplitSeq(c.Limits.Directives["EnvironmentFile"], "\n") {
			if file != "" && !c.Machine.Exists(file) {
				return "there is no " + file + ", from which it gets variables (EnvironmentFile=)", "create it, or put - before its path in Service.EnvironmentFile or in the drop-in that names it"
			}
		}
		return "a file from which it gets variables did not exist (EnvironmentFile=)", "create it, or put - before its path in Service.EnvironmentFile or in the drop-in that names it"
	}
	switch {
	case c.path == "":
		return "a file that it needs does not exist, or its path is not absolute", "relative paths begin at Service.WorkingDirectory (WorkingDirectory=), / if that is empty: use absolute paths"
	case c.mentions("mount namespacing"):
		return "there is no " + c.path + ", which its unit names (ReadWritePaths=, BindPaths=)", "create it; or remove it from Service.Hardening.WritablePaths and install the service again, or from the drop-in that names it"
	case !c.Machine.Exists(c.path) && c.mentions("changing to the requested working directory"):
		return "there is no " + c.path + ", its working directory (WorkingDirectory=)", "create it, or change Service.WorkingDirectory or the drop-in that names it"
	case !c.Machine.Exists(c.path) && c.below(temporaries...) && c.directiveIs("PrivateTmp"):
		return "there is no " + c.path + " in the /tmp that it has of its own (PrivateTmp=" + c.Limits.Directives["PrivateTmp"] + ")",
			"have the program create it each time that it starts, or put that into " + c.ownFolder()
	case c.Machine.Exists(c.path) && c.mentions("exec"):
		return c.path + " exists, but the interpreter of the script or the loader of the program does not", "install it, or build the program without it (CGO_ENABLED=0)"
	case c.Machine.Exists(c.path):
		return c.path + " exists now, but did not when the service looked", "start it again; or add the service that creates it to Service.Dependencies"
	}
	return "there is no " + c.path, "create it, or change the path in the program's configuration"
}
