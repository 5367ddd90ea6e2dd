package winsvc

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

const (
	localSystem    = "LocalSystem"
	localService   = `NT AUTHORITY\LocalService`
	networkService = `NT AUTHORITY\NetworkService`
	virtual        = `NT SERVICE\`
)

var accounts = map[string]string{
	"root":                         localSystem,
	"localsystem":                  localSystem,
	`.\localsystem`:                localSystem,
	"system":                       localSystem,
	`nt authority\system`:          localSystem,
	"localservice":                 localService,
	"local service":                localService,
	`nt authority\localservice`:    localService,
	`nt authority\local service`:   localService,
	"networkservice":               networkService,
	"network service":              networkService,
	`nt authority\networkservice`:  networkService,
	`nt authority\network service`: networkService,
}

// account is the name that Windows wants, for one that people write. The default is the
// virtual account of the service: it has no password, no rights of its own, and nothing
// else runs as it.
func account(name, service string) string {
	known, ok := accounts[strings.ToLower(name)]
	switch {
	case name == "":
		return virtual + service
	case ok:
		return known
	case strings.ContainsAny(name, `\@`) || strings.HasSuffix(name, "$"):
		return name // a domain stands in it; or it is a managed account, which has one
	}
	return `.\` + name
}

// hasPassword reports whether the account logs on with a password that somebody knows:
// no account of the system, no virtual one, and no managed one (gMSA), whose name ends
// in $.
func hasPassword(account string) bool {
	lower := strings.ToLower(account)
	return !ofSystem(account) && !strings.HasPrefix(lower, strings.ToLower(virtual)) && !strings.HasSuffix(account, "$")
}

// ofSystem reports whether the account is one that every Windows has.
func ofSystem(account string) bool {
	return account == localSystem || strings.HasPrefix(strings.ToLower(account), `nt authority\`)
}

// serviceSID is the SID of a service, as of its virtual account: S-1-5-80 and the SHA-1
// of its name in upper case, whether the service exists or not.
func serviceSID(service string) string {
	text := utf16.Encode([]rune(strings.ToUpper(service)))
	b := make([]byte, 0, 2*len(text))
	for _, c := range text {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	sum := sha1.Sum(b)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}
