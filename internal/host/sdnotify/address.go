package sdnotify

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kind is how messages travel.
type kind uint8

const (
	unixgram kind = iota
	vsockAny      // datagrams if the machine has them, else packets, else a stream
	vsockDatagram
	vsockPacket
	vsockStream
)

// address is NOTIFY_SOCKET, taken apart.
type address struct {
	kind      kind
	path      string // "/run/…", or "@…" in the abstract name space
	cid, port uint32
}

var vsockSchemes = map[string]kind{
	"vsock":           vsockAny,
	"vsock-dgram":     vsockDatagram,
	"vsock-seqpacket": vsockPacket,
	"vsock-stream":    vsockStream,
}

// parse takes the forms of sd_notify(3): a path, @abstract, and vsock:CID:PORT
// with its variants.
func parse(s string) (address, error) {
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
		err = strconv.ErrRange // VMADDR_CID_ANY names no receiver
	}
	port, err2 := strconv.ParseUint(p, 10, 32)
	if err != nil || err2 != nil {
		return address{}, fmt.Errorf("NOTIFY_SOCKET=%q: want vsock:CID:PORT with two numbers", s)
	}
	return address{kind: k, cid: uint32(cid), port: uint32(port)}, nil
}
