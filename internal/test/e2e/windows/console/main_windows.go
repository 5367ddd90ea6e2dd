// Console runs a program in its own console and says how that has ended:
//
//	console EVENT FILE PROGRAM ARG…
//
// As soon as the program has written "started" to the file it gets the event: break,
// close, logoff or shutdown. With wait, it is for somebody else to let something happen
// to the console. Console prints how many milliseconds after "started" the program has
// ended, and its exit code, all 32 bits of it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

func main() {
	// What happens to the console happens to this as well.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	if err := run(os.Args[1], os.Args[2], exec.Command(os.Args[3], os.Args[4:]...)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(event, notes string, cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	if err := await(notes, "started"); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	begun := time.Now()
	if event != "wait" {
		if err := send(event, uint32(cmd.Process.Pid)); err != nil {
			return fmt.Errorf("send %s: %w", event, err)
		}
	}
	err := cmd.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("wait for %s: %w", cmd.Path, err)
	}
	fmt.Printf("ended after %d ms with %d\n", time.Since(begun).Milliseconds(), cmd.ProcessState.ExitCode())
	return nil
}

var (
	createRemoteThread = windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateRemoteThread")
	ctrlRoutine        = windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
)

// send does to a process what Windows does when something happens to its console: it
// begins a thread in it that calls all its handlers. GenerateConsoleCtrlEvent can send
// two events only, and Wine makes one of them.
func send(event string, pid uint32) error {
	number, ok := map[string]uintptr{"break": 1, "close": 2, "logoff": 5, "shutdown": 6}[event]
	if !ok {
		return errors.New("there is no such event")
	}
	const access = windows.PROCESS_CREATE_THREAD | windows.PROCESS_QUERY_INFORMATION |
		windows.PROCESS_VM_OPERATION | windows.PROCESS_VM_WRITE | windows.PROCESS_VM_READ
	process, err := windows.OpenProcess(access, false, pid)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	thread, _, err := createRemoteThread.Call(uintptr(process), 0, 0, ctrlRoutine.Addr(), number, 0, 0)
	if thread == 0 {
		return err
	}
	return windows.CloseHandle(windows.Handle(thread))
}

// await waits until the file has the line.
func await(file, line string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(file)
		if slices.Contains(strings.Split(string(text), "\n"), line) {
			return nil
		}
	}
	return fmt.Errorf("the program has not written %q to %s", line, file)
}
