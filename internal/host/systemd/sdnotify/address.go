package sdnotify

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kind identifies a transport.
type kind uint8

const (
	unixgram kind = iota
	vsockAny      // datagrams if supported, else packets, else a stream
	vsockDatagram
	vsockPacket
	vsockStream
)

// address holds the parts of NOTIFY_SOCKET.
type address struct {
	kind      kind
	path      string // "/run/…", or "@…" for an abstract socket
	cid, port uint32
}

var vsockSchemes = map[string]kind{
	"vsock":           vsockAny,
	"vsock-dgram":     vsockDatagram,
	"vsock-seqpacket": vsockPacket,
	"vsock-stream":    vsockStream,
}

// parseAddress accepts the forms of sd_notify(3): a path, @abstract, and vsock:CID:PORT with its
// variants.
func parseAddress(s string) (address, error) {
	if len(s) > 1 && (s[0] == '/' || s[0] == '@') {
		return address{kind: unixgram, path: s}, nil
	}
	scheme, rest, _ := strings.Cut(s, ":")
	k, known := vsockSchemes[scheme]
	if !known {
		return address{}, fmt.Errorf("NOTIFY_SOCKET=%q: want an absolute path, @name or vsock:CID:PORT", s)
	}
	c, p, _ := strings.Cut(rest, ":")
	cid, err := strconv.ParseUint(c, 10, 32)
	if err == nil && cid == math.MaxUint32 {
		err = strconv.ErrRange // VMADDR_CID_ANY is not a receiver
	}
	port, err2 := strconv.ParseUint(p, 10, 32)
	if err != nil || err2 != nil {
		return address{}, fmt.Errorf("NOTIFY_SOCKET=%q: want vsock:CID:PORT with two numbers", s)
	}
	return address{kind: k, cid: uint32(cid), port: uint32(port)}, nil
}
