package launchd

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// umask 0077, which launchd wants in decimal.
const umask = 63

// render is the property list of the service.
func render(s service.Spec, account string, l layout) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	key := func(name, element string) { line("\t<key>%s</key>\n\t%s", name, element) }

	line(`<?xml version="1.0" encoding="UTF-8"?>`)
	line(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	line("<!-- %s -->", service.Mark)
	line("<!-- %s -->", onefile.XMLComment(s.Description))
	line(`<plist version="1.0">`)
	line("<dict>")
	line("\t<key>EnvironmentVariables</key>\n\t<dict>")
	for _, v := range onefile.Environment(s, l.dirs) {
		line("\t\t<key>%s</key>\n\t\t%s", v.Name, text(v.Value))
	}
	line("\t</dict>")
	key("ExitTimeOut", integer(onefile.Seconds(onefile.StopBudget(s), 1)))
	if account == nobody {
		key("GroupName", text(nobody))
	}
	openFiles := func(name string) {
		if n := s.Limits.OpenFiles; n > 0 {
			key(name, fmt.Sprintf("<dict>\n\t\t<key>NumberOfFiles</key>\n\t\t<integer>%d</integer>\n\t</dict>", n))
		}
	}
	openFiles("HardResourceLimits")
	key("KeepAlive", keepAlive(s.Recovery))
	key("Label", text(s.ServiceName()))
	key("ProcessType", text("Interactive"))
	line("\t<key>ProgramArguments</key>\n\t<array>")
	for _, a := range append([]string{s.Executable}, s.Args...) {
		line("\t\t%s", text(a))
	}
	line("\t</array>")
	key("RunAtLoad", boolean(!onefile.ByHand(s)))
	openFiles("SoftResourceLimits")
	key("StandardErrorPath", text(l.log))
	key("StandardOutPath", text(l.log))
	if !s.Recovery.Never {
		key("ThrottleInterval", integer(onefile.Seconds(s.Recovery.Delays[0], 1)))
	}
	key("Umask", integer(umask))
	if account != "" {
		key("UserName", text(account))
	}
	if s.Directory != "" {
		key("WorkingDirectory", text(s.Directory))
	}
	line("</dict>\n</plist>")
	return b.String()
}

// keepAlive is when launchd starts the service again.
func keepAlive(r service.Recovery) string {
	switch {
	case r.Never:
		return "<false/>"
	case r.CrashOnly:
		return "<dict>\n\t\t<key>Crashed</key>\n\t\t<true/>\n\t</dict>"
	}
	return "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>"
}

func text(s string) string       { return "<string>" + onefile.XML(s) + "</string>" }
func integer(n int) string       { return "<integer>" + strconv.Itoa(n) + "</integer>" }
func boolean(b bool) string      { return "<" + strconv.FormatBool(b) + "/>" }
func legal(s service.Spec) error { return onefile.CheckXML(s) }

// exitTimeout is what a property list says; without it, what launchd is known to take
// at the most.
func exitTimeout(text string) time.Duration {
	const otherwise = 20 * time.Second
	_, after, ok := strings.Cut(text, "<key>ExitTimeOut</key>")
	if !ok {
		return otherwise
	}
	_, after, _ = strings.Cut(after, "<integer>")
	number, _, _ := strings.Cut(after, "<")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// launched is the executable that a property list of ours, or of the like, starts.
func launched(plist string) string {
	_, rest, _ := strings.Cut(plist, "<key>ProgramArguments</key>")
	_, rest, _ = strings.Cut(rest, "<string>")
	file, _, _ := strings.Cut(rest, "</string>")
	return onefile.Text(file)
}
