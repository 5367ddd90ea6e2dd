//go:build linux

package safe

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elf is the beginning of a program for machine, of 64 bits, that by loads.
func elf(machine uint16, by string) string {
	b := make([]byte, 120)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[18:], machine)
	le.PutUint64(b[32:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	if by != "" {
		le.PutUint32(b[64:], 3)
		le.PutUint64(b[72:], 120)
		le.PutUint64(b[96:], uint64(len(by)+1))
	}
	return string(b) + by + "\x00"
}

func TestWhatTheKernelCannotExecuteIsSaidBeforeItTries(t *testing.T) {
	own := map[string]uint16{"amd64": 62, "arm64": 183}[runtime.GOARCH]
	if own == 0 || emulates() {
		t.Skip("the programs are for amd64 and arm64, where no others are executed")
	}
	file := filepath.Join(t.TempDir(), "web")
	for _, test := range []struct{ text, want string }{
		{elf(own, ""), ""},
		{elf(own, "/bin/sh"), ""},
		{elf(own, "/lib/ld-musl-gone.so.1"), "FILE is run by /lib/ld-musl-gone.so.1, which is not there"},
		{elf(22, ""), "FILE is a program for s390x, and this machine is " + runtime.GOARCH},
		{elf(999, ""), ""}, // nobody knows
		{"#!/bin/sh\n", ""},
		{"#!/bin/sh -e\nexit\n", ""},
		{"#!/usr/bin/python9\n", "FILE is run by /usr/bin/python9, which is not there"},
		{"#!/bin/sh\r\nexit\r\n", "FILE is a script with the line ends of Windows"},
		{"#!\n", "FILE is a script that does not say in its first line what runs it"},
		{"MZ\x90\x00", "FILE is a program of Windows"},
		{"\xcf\xfa\xed\xfe\x07\x00", "FILE is a program of macOS"},
		{"echo hello\n", "FILE is neither a program of Linux nor a script that begins with #!"},
		{"\x7fELF", ""},
		{"", "FILE is empty"},
	} {
		if err := os.WriteFile(file, []byte(test.text), 0o755); err != nil {
			t.Fatal(err)
		}
		why, remedy := Barred(file)
		if want := strings.ReplaceAll(test.want, "FILE", file); why != want || (why == "") != (remedy == "") {
			t.Errorf("%.30q: %q -> %q, want %q", test.text, why, remedy, want)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if why, _ := Barred(self); why != "" {
		t.Errorf("of a program that runs: %s", why)
	}
}
