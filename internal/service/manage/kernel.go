package manage

import (
	"runtime"
	"slices"
	"strings"
)

// capabilities lists the names in capabilities(7), without CAP_. systemd ignores unknown
// ones, and only logs that it does.
var capabilities = strings.Fields(`
	AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE
	DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE
	MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID
	SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`)

// families lists the names in address_families(7) that a program can open, without AF_.
var families = strings.Fields(`
	ALG APPLETALK ATMPVC ATMSVC AX25 BLUETOOTH BRIDGE CAIF CAN DECnet ECONET IB IEEE802154 INET INET6
	IPX IRDA ISDN IUCV KCM KEY LLC MCTP MPLS NETBEUI NETLINK NETROM NFC PACKET PHONET PPPOX QIPCRTR RDS
	ROSE RXRPC SECURITY SMC SNA TIPC UNIX VSOCK WANPIPE X25 XDP`)

func (s Spec) checkKernel(c *checker) {
	for _, name := range s.Hardening.Capabilities {
		linux, ok := strings.CutPrefix(strings.ToUpper(name), "CAP_")
		switch {
		case !variable(name):
			c.wrong("Hardening.Capabilities", "has %q: want names such as CAP_NET_ADMIN, or SeBackupPrivilege for Windows", name)
		case strings.HasPrefix(name, "Se"):
			if !Privilege(name) && runtime.GOOS != "windows" { // which is asked itself
				c.wrong("Hardening.Capabilities", "has %q, which Windows does not know: want names such as SeBackupPrivilege", name)
			}
		case !ok:
			c.wrong("Hardening.Capabilities", "has %q: want names such as CAP_NET_ADMIN, or SeBackupPrivilege for Windows", name)
		case !slices.Contains(capabilities, linux):
			c.wrong("Hardening.Capabilities", "has %s, which Linux does not have: see capabilities(7)", name)
		}
	}
	for _, name := range s.Hardening.AddressFamilies {
		family, ok := strings.CutPrefix(name, "AF_")
		switch {
		case !variable(name) || !ok:
			c.wrong("Hardening.AddressFamilies", "has %q: want names such as AF_PACKET", name)
		case !slices.Contains(families, family):
			c.wrong("Hardening.AddressFamilies", "has %s, which Linux does not have: see address_families(7)", name)
		}
	}
}
