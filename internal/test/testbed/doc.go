// Package testbed boots a real systemd for end-to-end tests.
//
// It makes a small Debian root file system once, keeps it in the user's cache, and boots it in
// a systemd-nspawn container that keeps changes in memory. Every [Machine] starts from the same
// pristine state, and several may run at once.
//
// The machine also contains Wine, which provides a Windows with a service control manager that
// is not part of this project. It boots with the first [Machine.Wine].
//
// [BootOpenRC], [BootSysV] and [BootRCS] boot other inits in the same way, each from its own
// root file system.
//
// The tests are opt-in because they need root and some Debian packages:
//
//	var machine *testbed.Machine
//
//	func TestMain(m *testing.M) {
//		os.Exit(run(m))
//	}
//
//	func run(m *testing.M) int {
//		if !testbed.Enabled() {
//			return m.Run()
//		}
//		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
//		defer cancel()
//		var err error
//		if machine, err = testbed.Boot(ctx); err != nil {
//			fmt.Fprintln(os.Stderr, err)
//			return 1
//		}
//		defer machine.Close()
//		return m.Run()
//	}
//
//	func TestUnit(t *testing.T) {
//		testbed.Require(t)
//		// machine.Run, machine.Await …
//	}
//
// The package is empty on every system but Linux.
package testbed
