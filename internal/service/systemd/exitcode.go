package systemd

import (
	"fmt"
)

// setupFailures says what systemd could not set up for a process, by the exit code that it
// then reports: see systemd.exec(5).
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
		216: "GROUP: its group is unknown or cannot be set",
		217: "USER: its account is unknown or cannot be set",
		218: "CAPABILITIES: its capabilities cannot be set",
		219: "CGROUP: its control group cannot be created",
		220: "SETSID: no session can be created for it",
		221: "CONFIRM: it was not confirmed",
		222: "STDERR: its standard error cannot be opened",
		224: "PAM: no PAM session can be created for it",
		225: "NETWORK: a network of its own cannot be created",
		226: "NAMESPACE: its view of the file system cannot be created; a path in its unit does not exist, or namespaces are not allowed here",
		227: "NO_NEW_PRIVILEGES: no_new_privs cannot be set for it",
		228: "SECCOMP: its system calls cannot be filtered",
		229: "SELINUX_CONTEXT: its SELinux context cannot be set",
		230: "PERSONALITY: its execution domain cannot be set",
		231: "APPARMOR_PROFILE: its AppArmor profile cannot be set",
		232: "ADDRESS_FAMILIES: its address families cannot be restricted",
		233: "RUNTIME_DIRECTORY: its runtime directory cannot be created",
		235: "CHOWN: its socket cannot be given to its account",
		236: "SMACK_PROCESS_LABEL: its SMACK label cannot be set",
		237: "KEYRING: its kernel keyring cannot be created",
		238: "STATE_DIRECTORY: its state directory cannot be created",
		239: "CACHE_DIRECTORY: its cache directory cannot be created",
		240: "LOGS_DIRECTORY: its log directory cannot be created",
		241: "CONFIGURATION_DIRECTORY: its configuration directory cannot be created",
		242: "NUMA_POLICY: its NUMA policy cannot be set",
		243: "CREDENTIALS: its credentials cannot be read",
		244: "BPF: its network cannot be restricted with BPF",
		245: "KSM: its memory merging cannot be set",
	}
}

// exitCodeText says what an exit code means.
func exitCodeText(code int) string {
	if words, ok := setupFailures()[code]; ok {
		return fmt.Sprintf("exit code %d/%s", code, words)
	}
	switch code {
	case 2:
		return "exit code 2: a Go program crashed, or its command line is wrong"
	case 78:
		return "exit code 78: its configuration is wrong; it is not restarted"
	case 124:
		return "exit code 124: it gave up at its stop deadline"
	case 130, 143:
		return fmt.Sprintf("exit code %d: forced by a second SIG%s, or a command run by a shell was killed by it", code, signals()[code-128])
	}
	if name := signals()[code-128]; name != "" {
		return fmt.Sprintf("exit code %d: a command run by a shell was killed by SIG%s", code, name)
	}
	return fmt.Sprintf("exit code %d", code)
}

// signals returns the names of the signals that end services.
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

// resultMeanings returns what a Result means, if the end of the process does not make that
// plain.
func resultMeanings() map[string]string {
	return map[string]string{
		"timeout":         "it was not ready, or did not stop, in time (Result=timeout)",
		"watchdog":        "it did not respond to the watchdog (Result=watchdog)",
		"start-limit-hit": "it was started too often (Result=start-limit-hit)",
		"oom-kill":        "it ran out of memory, of the machine or of its limit (Result=oom-kill)",
		"protocol":        "it ended before it was ready (Result=protocol)",
		"resources":       "systemd lacked the resources to start it (Result=resources)",
		"exec-condition":  "its start condition was not met (Result=exec-condition)",
	}
}

// reason says why the unit has failed, for people: what Result means, and how the process
// ended.
func (u properties) reason() string {
	words, ok := resultMeanings()[u["Result"]]
	if !ok {
		return u.shortReason()
	}
	if u.awaitsRestart() {
		words = join(words, u.howEnded(), "waiting for its restart")
		return words
	}
	return join(words, u.howEnded())
}
