package systemd

import (
	"fmt"
)

// setupFailures is what a process could not be made ready with, by the exit code that systemd
// then gives it: systemd.exec(5).
func setupFailures() map[int]string {
	return map[int]string{
		200: "CHDIR: the working directory cannot be entered",
		201: "NICE: its priority cannot be set",
		202: "FDS: its files cannot be passed on",
		203: "EXEC: the executable cannot be run",
		204: "MEMORY: memory ran out",
		205: "LIMITS: a limit cannot be set",
		206: "OOM_ADJUST: its OOM score cannot be set",
		207: "SIGNAL_MASK: its signal mask cannot be set",
		208: "STDIN: its standard input cannot be opened",
		209: "STDOUT: its standard output cannot be opened",
		210: "CHROOT: its root directory cannot be entered",
		211: "IOPRIO: its I/O priority cannot be set",
		212: "TIMERSLACK: its timer slack cannot be set",
		213: "SECUREBITS: its secure bits cannot be set",
		214: "SETSCHEDULER: its scheduler cannot be set",
		215: "CPUAFFINITY: its CPU affinity cannot be set",
		216: "GROUP: its group is not known, or cannot be had",
		217: "USER: its account is not known, or cannot be had",
		218: "CAPABILITIES: its capabilities cannot be had",
		219: "CGROUP: its control group cannot be made",
		220: "SETSID: no session can be made for it",
		221: "CONFIRM: nobody has confirmed it",
		222: "STDERR: its standard error cannot be opened",
		224: "PAM: no PAM session can be made for it",
		225: "NETWORK: a network of its own cannot be made",
		226: "NAMESPACE: its view of the file system cannot be made; a path that it is given does not exist, or namespaces are not allowed here",
		227: "NO_NEW_PRIVILEGES: it cannot be kept from new privileges",
		228: "SECCOMP: its system calls cannot be filtered",
		229: "SELINUX_CONTEXT: its SELinux context cannot be had",
		230: "PERSONALITY: its execution domain cannot be set",
		231: "APPARMOR_PROFILE: its AppArmor profile cannot be had",
		232: "ADDRESS_FAMILIES: its address families cannot be restricted",
		233: "RUNTIME_DIRECTORY: its runtime directory cannot be made",
		235: "CHOWN: its socket cannot be given to its account",
		236: "SMACK_PROCESS_LABEL: its SMACK label cannot be set",
		237: "KEYRING: its kernel keyring cannot be made",
		238: "STATE_DIRECTORY: its state directory cannot be made",
		239: "CACHE_DIRECTORY: its cache directory cannot be made",
		240: "LOGS_DIRECTORY: its log directory cannot be made",
		241: "CONFIGURATION_DIRECTORY: its configuration directory cannot be made",
		242: "NUMA_POLICY: its NUMA policy cannot be set",
		243: "CREDENTIALS: its credentials cannot be read",
		244: "BPF: its network cannot be restricted with BPF",
		245: "KSM: its memory merging cannot be set",
	}
}

// exitCodeText is what an exit code means, in words.
func exitCodeText(code int) string {
	if words, ok := setupFailures()[code]; ok {
		return fmt.Sprintf("exit code %d/%s", code, words)
	}
	switch code {
	case 2:
		return "exit code 2: a Go program has crashed, or its command line is wrong"
	case 78:
		return "exit code 78: its configuration is wrong; it is not restarted"
	case 124:
		return "exit code 124: it has given up at its stop deadline"
	case 130, 143:
		return fmt.Sprintf("exit code %d: forced by a second SIG%s, or what a shell has started was killed by it", code, signals()[code-128])
	}
	if name := signals()[code-128]; name != "" {
		return fmt.Sprintf("exit code %d: what a shell has started was killed by SIG%s", code, name)
	}
	return fmt.Sprintf("exit code %d", code)
}

// signals are those that end services.
func signals() map[int]string {
	return map[int]string{
		1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 11: "SEGV", 13: "PIPE", 14: "ALRM", 15: "TERM",
		24: "XCPU", 25: "XFSZ", 31: "SYS",
	}
}

func signalText(n int) string {
	name := signals()[n]
	switch name {
	case "":
		return fmt.Sprintf("killed by signal %d", n)
	case "SYS":
		return "killed by SIGSYS, for a system call that its sandbox forbids"
	}
	return "killed by SIG" + name
}

// resultMeanings are what Result means where that is not plain from the end of the process.
func resultMeanings() map[string]string {
	return map[string]string{
		"timeout":         "it was not ready, or did not stop, in the time that it has (Result=timeout)",
		"watchdog":        "it gave no sign of life (Result=watchdog)",
		"start-limit-hit": "it was started too often (Result=start-limit-hit)",
		"oom-kill":        "there was no memory left for it, on the machine or within its limit (Result=oom-kill)",
		"protocol":        "it ended before it was ready (Result=protocol)",
		"resources":       "systemd lacked what it needs to start it (Result=resources)",
		"exec-condition":  "its condition to start did not hold (Result=exec-condition)",
	}
}

// reason is a failure for people: what Result means, and how the process has ended.
func (u properties) reason() string {
	words, ok := resultMeanings()[u["Result"]]
	if !ok {
		return u.shortReason()
	}
	if u.awaitsRestart() {
		words = join(words, u.howEnded(), "waits for its restart")
		return words
	}
	return join(words, u.howEnded())
}
