//go:build unix

package safe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// unfit says why the kernel could not execute a file though its mode allows that: it is a
// program for something else, or what runs it is not there. It returns "" if nothing
// speaks against it.
func unfit(file string) (why, remedy string) {
	f, err := os.Open(file)
	if err != nil {
		return "", ""
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return "", ""
	}
	head = head[:n]
	const build = "build it for this machine: GOOS=" + runtime.GOOS + " GOARCH=" + runtime.GOARCH
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		words := strings.Fields(string(line))
		if len(words) == 0 {
			return file + " is a script that does not say in its first line what runs it", "write that there: #!/bin/sh"
		}
		if strings.HasSuffix(string(line), "\r") {
			return file + " is a script with the line ends of Windows", "sed -i 's/\\r$//' " + file
		}
		return lacking(file, words[0])
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		if machine := machineOf(head); machine != "" && !runs(machine) && !emulates() {
			return fmt.Sprintf("%s is a program for %s, and this machine is %s", file, machine, runtime.GOARCH), build
		}
		return lacking(file, loader(head))
	case emulates():
	case bytes.HasPrefix(head, []byte("MZ")):
		return file + " is a program of Windows", build
	case runtime.GOOS == "linux" && len(head) > 4 && strings.Contains("\xcf\xfa\xed\xfe \xce\xfa\xed\xfe \xca\xfe\xba\xbe", string(head[:4])):
		return file + " is a program of macOS", build
	case runtime.GOOS == "linux":
		return file + " is neither a program of Linux nor a script that begins with #!", "put the program there; it may not have been copied whole"
	}
	return "", ""
}

// emulates reports whether Linux has been told of other formats, such as those that Wine
// and qemu run.
func emulates() bool {
	formats, err := os.ReadDir("/proc/sys/fs/binfmt_misc")
	return err == nil && len(formats) > 2 // register and status
}

// lacking says that what runs file is not there.
func lacking(file, by string) (why, remedy string) {
	if by == "" {
		return "", ""
	}
	if _, err := os.Stat(by); err != nil {
		return file + " is run by " + by + ", which is not there", "install that, or build a program that does not need it (CGO_ENABLED=0)"
	}
	return "", ""
}

// machineOf returns the processor of a program in the words of Go, "" if it is not known.
func machineOf(head []byte) string {
	if len(head) < 20 {
		return ""
	}
	order, wide := binary.ByteOrder(binary.LittleEndian), head[4] == 2
	if head[5] == 2 {
		order = binary.BigEndian
	}
	little := head[5] == 1
	pick := func(if64, if32 string) string {
		if wide {
			return if64
		}
		return if32
	}
	switch order.Uint16(head[18:]) { // e_machine
	case 3:
		return "386"
	case 8:
		if little {
			return pick("mips64le", "mipsle")
		}
		return pick("mips64", "mips")
	case 21:
		if little {
			return "ppc64le"
		}
		return "ppc64"
	case 22:
		return "s390x"
	case 40:
		return "arm"
	case 62:
		return "amd64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	case 258:
		return "loong64"
	}
	return ""
}

// runs reports whether this machine executes programs for a processor.
func runs(machine string) bool {
	switch runtime.GOARCH {
	case "amd64":
		return machine == "amd64" || machine == "386"
	case "386":
		return machine == "386" || machine == "amd64" // the kernel may be one of 64 bits
	case "arm64", "arm":
		return machine == "arm64" || machine == "arm"
	case "mips", "mipsle", "mips64", "mips64le":
		return strings.HasPrefix(machine, "mips")
	}
	return machine == runtime.GOARCH
}

// loader returns what a program is loaded by, "" for one that needs no loader.
func loader(head []byte) string {
	if len(head) < 64 || head[4] != 2 || head[5] != 1 {
		return "" // only the usual kind is looked at
	}
	le := binary.LittleEndian
	at, size, count := le.Uint64(head[32:]), uint64(le.Uint16(head[54:])), uint64(le.Uint16(head[56:]))
	for i := range count {
		begin := at + i*size
		if begin < at || begin+56 > uint64(len(head)) {
			return ""
		}
		p := head[begin:]
		if le.Uint32(p) != 3 { // PT_INTERP
			continue
		}
		from, length := le.Uint64(p[8:]), le.Uint64(p[32:])
		if from > uint64(len(head)) || length > uint64(len(head))-from {
			return ""
		}
		return string(bytes.TrimRight(head[from:from+length], "\x00"))
	}
	return ""
}
