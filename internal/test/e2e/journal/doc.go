// Package journal tests internal/log/journal on a real journald: what a program logs is what
// journalctl gives back.
package journal
