package listens

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// who asks the kernel for the inodes of the sockets there, and every process for its own.
func who(network, address string) string {
	var inodes []string
	if network == "unix" {
		inodes = listening("/proc/net/unix", 8, func(f []string) (inode string, ok bool) {
			return f[6], f[7] == address
		})
	} else {
		inodes = sockets(network, address)
	}
	if len(inodes) == 0 {
		return ""
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return ""
	}
	for _, p := range processes {
		if pid, err := strconv.Atoi(p.Name()); err == nil && has(pid, inodes) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return fmt.Sprintf("%s, process %d", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// sockets returns the inodes of the sockets that keep others from address.
func sockets(network, address string) (inodes []string) {
	kind := strings.TrimRight(network, "46")
	host, text, err := net.SplitHostPort(address)
	port, bad := strconv.ParseUint(text, 10, 16)
	ip := net.ParseIP(host)
	if err != nil || bad != nil || ip == nil && host != "" || kind != "tcp" && kind != "udp" {
		return nil
	}
	state := "0A" // TCP_LISTEN
	if kind == "udp" {
		state = "07" // TCP_CLOSE, which one that is not connected has
	}
	for _, version := range []string{"", "6"} {
		inodes = append(inodes, listening("/proc/net/"+kind+version, 10, func(f []string) (inode string, ok bool) {
			at, p, valid := local(f[1])
			clash := ip == nil || ip.IsUnspecified() || at.IsUnspecified() || at.Equal(ip)
			return f[9], valid && f[3] == state && p == port && clash
		})...)
	}
	return inodes
}

// listening returns the sockets in a table of the kernel for which is says ok. A line has
// at least so many fields.
func listening(table string, fields int, is func(fields []string) (inode string, ok bool)) (inodes []string) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < fields {
			continue
		}
		if inode, ok := is(f); ok {
			inodes = append(inodes, "socket:["+inode+"]")
		}
	}
	return inodes
}

// local reads an address as the kernel writes it: groups of four bytes, each in the order
// of the processor, and the port.
func local(s string) (ip net.IP, port uint64, ok bool) {
	address, digits, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(address)
	n, err2 := strconv.ParseUint(digits, 16, 16)
	if err != nil || err2 != nil || len(b)%4 != 0 {
		return nil, 0, false
	}
	for i := 0; i < len(b); i += 4 {
		binary.BigEndian.PutUint32(b[i:], binary.NativeEndian.Uint32(b[i:]))
	}
	return b, n, true
}

// has reports whether a process has one of the sockets open.
func has(pid int, inodes []string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, f := range files {
		if target, err := os.Readlink(dir + "/" + f.Name()); err == nil && slices.Contains(inodes, target) {
			return true
		}
	}
	return false
}
