package lock

import (
	"errors"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
)

func TestTheLockIsHeldUntilItIsReleased(t *testing.T) {
	release, err := Take("Lock-Test", false, "install")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take("lock-test", false, "uninstall"); !errors.Is(err, service.ErrBusy) {
		t.Errorf("held, and got %v", err)
	}
	other, err := Take("lock-test2", false, "install")
	if err != nil {
		t.Fatal(err)
	}
	other()
	release()
	if release, err = Take("lock-test", false, "uninstall"); err != nil {
		t.Fatalf("released, and got %v", err)
	}
	release()
}

func TestAMutexOfAnybodyLocksNothing(t *testing.T) {
	const name = `Local\Glidepath-lock-test-of-somebody`
	release, err := takeMutex(name, "O:S-1-5-21-1-2-3-1000D:(A;;GA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	release2, err := takeMutex(name, forAdministrators)
	if err != nil {
		t.Fatalf("it belongs to nobody who administers, and got %v", err)
	}
	release2()
}
