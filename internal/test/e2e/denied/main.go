//go:build linux

// Command denied is a service that fails in a way that the operator chooses: -do names what
// it tries before it is ready, and -path with what. It is named after its file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
	"golang.org/x/sys/unix"
)

type program struct {
	do, path string
}

func (p program) Start(context.Context) error {
	if p.do == "" {
		return nil
	}
	if err := p.try(); err != nil {
		return fmt.Errorf("begin with the work: %w", err)
	}
	return nil
}

func (program) Stop(context.Context) error { return nil }

func (p program) try() error {
	switch p.do {
	case "read":
		_, err := os.ReadFile(p.path)
		return err
	case "write":
		return os.WriteFile(p.path, nil, 0o644)
	case "open": // for reading and writing, as a device is
		f, err := os.OpenFile(p.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Close()
	case "home":
		_, err := os.UserCacheDir()
		return err
	case "jit":
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return os.NewSyscallError("mmap", err)
	case "listen":
		_, err := net.Listen("tcp", p.path)
		return err
	case "ping":
		_, err := net.ListenPacket("ip4:icmp", "127.0.0.1")
		return err
	case "packet":
		_, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
		return os.NewSyscallError("socket", err)
	case "nice":
		return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, 0, -5))
	case "segv": // as a program does that is not written in Go
		return syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -SEGV $$"}, nil)
	case "fail":
		return errors.New("it was asked to fail")
	}
	return fmt.Errorf("-do %s is not known", p.do)
}

func main() {
	var p program
	flag.StringVar(&p.do, "do", "", "what to try")
	flag.StringVar(&p.path, "path", "", "with what: a file, or an address")
	profile := flag.String("profile", "", "the sandbox of the service")
	template := flag.Bool("template", false, "be a template")
	never := flag.Bool("never", true, "have it not restarted")
	account := flag.String("account", "", "who it runs as")
	socket := flag.String("socket", "", "start when somebody connects there")
	flag.Parse()
	c := daemon.Config{Name: filepath.Base(os.Args[0]), Args: flag.Args()}
	c.Service.Hardening.Profile = service.Profile(*profile)
	c.Service.Template, c.Service.Recovery.Never, c.Service.Account = *template, *never, *account
	if *socket != "" {
		c.Service.StartType = service.OnSocket
		c.Service.Sockets = []service.Socket{{Name: "web", Network: "tcp", Address: *socket}}
	}
	daemon.Main(p, c)
}
