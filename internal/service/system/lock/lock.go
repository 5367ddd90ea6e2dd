// Package lock lets one command at a time change a service of this machine, so that two
// installations, or an installation and an uninstall, do not break each other.
//
// A lock ends with its process, however that ends. Whoever holds it knows that nobody else
// is at work on the service: what is half made was left by a command that is dead.
package lock

// Take takes the lock of the service called name, of the machine or, with user, of the
// user whose process this is. It does not wait: if somebody has the lock, it returns
// service.ErrBusy, with what is under way where that is known. doing is what others are told
// meanwhile, in one word. release gives the lock back.
//
// Without the rights to change a service of the machine there is no lock to be had. Then
// Take succeeds: the command fails for want of rights, and says so in its own words.
func Take(name string, user bool, doing string) (release func(), err error) {
	return take(name, user, doing)
}
