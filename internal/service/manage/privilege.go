package manage

import (
	"slices"
	"strings"
)

// privileges are those of Windows, from winnt.h.
var privileges = []string{
	"AssignPrimaryToken", "Audit", "Backup", "ChangeNotify", "CreateGlobal", "CreatePagefile", "CreatePermanent",
	"CreateSymbolicLink", "CreateToken", "Debug", "DelegateSessionUserImpersonate", "EnableDelegation", "Impersonate",
	"IncreaseBasePriority", "IncreaseQuota", "IncreaseWorkingSet", "LoadDriver", "LockMemory", "MachineAccount",
	"ManageVolume", "ProfileSingleProcess", "Relabel", "RemoteShutdown", "Restore", "Security", "Shutdown", "SyncAgent",
	"SystemEnvironment", "SystemProfile", "Systemtime", "TakeOwnership", "Tcb", "TimeZone", "TrustedCredManAccess",
	"Undock", "UnsolicitedInput",
}

// Privilege reports whether a privilege of Windows has this name. Windows itself may know
// newer ones.
func Privilege(name string) bool {
	name, ok := strings.CutPrefix(name, "Se")
	name, ends := strings.CutSuffix(name, "Privilege")
	return ok && ends && slices.Contains(privileges, name)
}
