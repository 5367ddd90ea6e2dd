//go:build !unix && !windows

package logtext

import "os"

func isTerminal(*os.File) bool { return false }

func capable(string) bool { return false }

func enableColour(*os.File) (restore func(), ok bool) { return nil, false }

func columns(*os.File) int { return 0 }
