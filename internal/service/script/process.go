package script

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Process is what everybody may know about a process of Linux.
type Process struct {
	PID, Parent int
	Name        string // 15 bytes of it
	State       byte   // 'Z' is one that has ended
	Ticks       string // when it began, counted from the start of the machine: it tells two processes of one number apart
}

// Look returns a process, and whether it is there and has not ended.
func Look(tree files.Tree, pid int) (Process, bool) {
	stat, err := os.ReadFile(tree.Path("/proc/" + strconv.Itoa(pid) + "/stat"))
	text := string(stat)
	open, closed := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if pid <= 0 || err != nil || open < 0 || closed < open {
		return Process{}, false
	}
	f := strings.Fields(text[closed+1:])
	if len(f) < 20 {
		return Process{}, false
	}
	parent, _ := strconv.Atoi(f[1])
	p := Process{PID: pid, Parent: parent, Name: text[open+1 : closed], State: f[0][0], Ticks: f[19]}
	return p, p.State != 'Z' && p.State != 'X'
}

// ticksPerSecond is USER_HZ, which is the same wherever Go runs.
const ticksPerSecond = 100

// since returns when p began, zero if that is not known.
func (p Process) since(tree files.Tree) time.Time {
	ticks, err := strconv.ParseInt(p.Ticks, 10, 64)
	stat, err2 := os.ReadFile(tree.Path("/proc/stat"))
	_, after, ok := strings.Cut(string(stat), "\nbtime ")
	line, _, _ := strings.Cut(after, "\n")
	booted, err3 := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil || err2 != nil || err3 != nil || !ok {
		return time.Time{}
	}
	return time.Unix(booted, 0).Add(time.Duration(ticks) * (time.Second / ticksPerSecond))
}

// processes returns all that run.
func processes(tree files.Tree) []Process {
	names, err := os.ReadDir(tree.Path("/proc"))
	if err != nil {
		return nil
	}
	var all []Process
	for _, n := range names {
		if pid, err := strconv.Atoi(n.Name()); err == nil {
			if p, ok := Look(tree, pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}
