package manage

import (
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func (s Spec) checkSockets(c *checker) {
	names := map[string]bool{}
	for i, k := range s.Sockets {
		field := "Sockets." + k.Name
		if !instance(k.Name) {
			c.wrong("Sockets", "has the name %q: want letters, digits, '.', '_' and '-'", k.Name)
		}
		if names[k.Name] {
			c.wrong("Sockets", "has the name %q twice", k.Name)
		}
		names[k.Name] = true
		c.line(field, k.Address)
		switch k.Network {
		case "unix":
			c.absolute(field, k.Address)
			if n := len(k.Address); n > maxUnixSocket {
				c.wrong(field, "has a path of %d bytes: a socket has at most %d", n, maxUnixSocket)
			}
		case "tcp", "udp":
			host, port, err := net.SplitHostPort(k.Address)
			n, bad := strconv.ParseUint(port, 10, 16)
			ip := net.ParseIP(host)
			switch {
			case err != nil || bad != nil || n == 0 || host != "" && ip == nil:
				c.wrong(field, "has the address %q: want an IP address and a port, or only :port", k.Address)
			case s.Hardening.Profile == service.Localhost && ip != nil && !ip.IsLoopback() && !ip.IsUnspecified():
				c.wrong(field, "is %s, where nobody reaches a service with Hardening.Profile %q: want an address of this machine alone, such as 127.0.0.1", k.Address, service.Localhost)
			}
		default:
			c.wrong(field, "has the network %q: want tcp, udp or unix", k.Network)
		}
		if other := slices.IndexFunc(s.Sockets[:i], func(o service.Socket) bool { return clash(k, o) }); other >= 0 {
			c.wrong(field, "is %s, where Sockets.%s listens already", k.Address, s.Sockets[other].Name)
		}
	}
}

// clash reports whether k and o listen at the same place. systemd opens both for UDP,
// and for files, where the later replaces the earlier: nothing would ever reach one of them.
func clash(k, o service.Socket) bool {
	if k.Network != o.Network {
		return false
	}
	if k.Network == "unix" {
		return file(k.Address) == file(o.Address)
	}
	host, port, err := net.SplitHostPort(k.Address)
	if err != nil {
		return false
	}
	otherHost, otherPort, err := net.SplitHostPort(o.Address)
	if err != nil {
		return false
	}
	a, b := net.ParseIP(host), net.ParseIP(otherHost)
	return number(port) == number(otherPort) && (everywhere(a, b) || everywhere(b, a) || a.Equal(b))
}

func number(port string) string { return strings.TrimLeft(port, "0") }

// file is the path of a socket as systemd has it: /var/run is a link.
func file(address string) string {
	if rest, ok := strings.CutPrefix(address, "/var/run/"); ok {
		return path.Join("/run", rest)
	}
	return path.Clean(address)
}

// everywhere reports whether who listens at a listens at b as well. :: is for IPv4 too.
func everywhere(a, b net.IP) bool {
	return a == nil || a.Equal(net.IPv6unspecified) || a.Equal(net.IPv4zero) && (b == nil || b.To4() != nil)
}
