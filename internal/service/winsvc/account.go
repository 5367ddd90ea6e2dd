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

// account returns the name by which Windows knows an account. The default is the virtual
// account of the service: it has no password and no rights of its own, and nothing else runs
// as it.
func account(name, service string) string {
	known, ok := accounts[strings.ToLower(name)]
	switch {
	case name == "":
		return virtual + service
	case ok:
		return known
	case strings.ContainsAny(name, `\@`): // it has a domain
		return name
	}
	return `.\` + name
}

// logonKind tells how an account logs on.
type logonKind uint8

const (
	byPassword logonKind = iota // .\user, DOMAIN\user, user@domain: with a password that a person knows
	bySystem                    // an account of the system: with an empty password
	byService                   // a virtual account, NT SERVICE\NAME: without a password
	byDomain                    // a managed account, DOMAIN\name$: with a password that only the domain knows
)

// kindOf returns how an account logs on. It takes a name that account returned.
func kindOf(account string) logonKind {
	lower := strings.ToLower(account)
	user, domain, ok := strings.Cut(lower, "@")
	if !ok {
		domain, user, _ = strings.Cut(lower, `\`)
	}
	switch {
	case account == localSystem || domain == "nt authority":
		return bySystem
	case strings.HasPrefix(lower, strings.ToLower(virtual)):
		return byService
	case strings.HasSuffix(user, "$") && domain != ".": // this machine manages no accounts
		return byDomain
	}
	return byPassword
}

// needs says what an administrator has to do before an account can log on as a service. It
// returns "" for accounts of the system and virtual accounts, which always can.
func (k logonKind) needs(account string) string {
	switch k {
	case byPassword:
		return account + " needs the right to log on as a service; services.msc grants it, on the Log On page of the service"
	case byDomain:
		return account + " is a managed account, which takes no password: it needs the right to log on as a service, and this machine must be allowed to retrieve its password; " + checkManaged(account)
	}
	return ""
}

// remedy says what to do if an account could not log on.
func (k logonKind) remedy(account string) string {
	const policy = "in secpol.msc under User Rights Assignment, or in the domain policy, which overrides it"
	switch k {
	case byPassword:
		return "give " + account + " the right to log on as a service, and its password, on the Log On page of services.msc"
	case byDomain:
		return "give " + account + " the right to log on as a service, " + policy + "; it takes no password; " + checkManaged(account)
	case byService:
		return `give NT SERVICE\ALL SERVICES the right to log on as a service, ` + policy
	}
	return "make sure that nothing denies " + account + " the right to log on as a service, " + policy
}

// checkManaged says how to find out whether this machine can use a managed account.
func checkManaged(account string) string {
	user, _, _ := strings.Cut(account[strings.LastIndexByte(account, '\\')+1:], "@")
	return "check with Test-ADServiceAccount " + strings.TrimSuffix(user, "$") + " in PowerShell"
}

// serviceSID returns the SID of a service, which is also that of its virtual account: S-1-5-80
// and the SHA-1 of its name in upper case. The service need not exist.
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
