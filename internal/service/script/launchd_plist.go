package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// plist writes a property list.
type plist struct{ lines }

func (p *plist) key(name, element string) { p.line("\t<key>%s</key>\n\t%s", name, element) }

func (p *plist) openFiles(name string, n uint64) {
	if n > 0 {
		p.key(name, fmt.Sprintf("<dict>\n\t\t<key>NumberOfFiles</key>\n\t\t<integer>%d</integer>\n\t</dict>", n))
	}
}

// launchdPlist returns the property list of s.
func launchdPlist(s manage.Spec, account string, l Layout) string {
	var p plist
	p.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	p.line(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	p.line("<!-- %s -->", manage.Mark)
	p.line("<!-- %s -->", xmlComment(s.Description))
	p.line("<plist version=\"1.0\">\n<dict>\n\t<key>EnvironmentVariables</key>\n\t<dict>")
	for _, v := range Environment(s, l.Dirs) {
		p.line("\t\t<key>%s</key>\n\t\t%s", v.Name, xmlString(v.Value))
	}
	p.line("\t</dict>")
	p.key("ExitTimeOut", xmlInteger(seconds(stopBudget(s))))
	if account == nobody {
		p.key("GroupName", xmlString(nobody))
	}
	p.openFiles("HardResourceLimits", s.Limits.OpenFiles)
	p.key("KeepAlive", keepAlive(s.Recovery))
	p.key("Label", xmlString(s.ServiceName()))
	p.key("ProcessType", xmlString("Interactive"))
	p.line("\t<key>ProgramArguments</key>\n\t<array>")
	for _, a := range append([]string{s.Executable}, s.Arguments...) {
		p.line("\t\t%s", xmlString(a))
	}
	p.line("\t</array>")
	p.key("RunAtLoad", "<"+strconv.FormatBool(manage.ByItself(s.StartType))+"/>")
	p.openFiles("SoftResourceLimits", s.Limits.OpenFiles)
	p.key("StandardErrorPath", xmlString(l.Log))
	p.key("StandardOutPath", xmlString(l.Log))
	if !s.Recovery.Never {
		p.key("ThrottleInterval", xmlInteger(seconds(s.Recovery.Delays[0])))
	}
	p.key("Umask", xmlInteger(0o77)) // launchd wants it in decimal
	if account != "" {
		p.key("UserName", xmlString(account))
	}
	if s.WorkingDirectory != "" {
		p.key("WorkingDirectory", xmlString(s.WorkingDirectory))
	}
	p.line("</dict>\n</plist>")
	return p.String()
}

// keepAlive returns when launchd starts the service again.
func keepAlive(r service.Recovery) string {
	switch {
	case r.Never:
		return "<false/>"
	case r.CrashOnly:
		return "<dict>\n\t\t<key>Crashed</key>\n\t\t<true/>\n\t</dict>"
	}
	return "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>"
}

func xmlString(s string) string { return "<string>" + escapeXML(s) + "</string>" }

func xmlInteger(n int) string { return "<integer>" + strconv.Itoa(n) + "</integer>" }

// exitTimeout returns the one of a property list; without one, the longest that launchd is
// known to take.
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

func (launchd) Command(text string) []string {
	_, rest, _ := strings.Cut(text, "<key>ProgramArguments</key>")
	array, _, _ := strings.Cut(rest, "</array>")
	return xmlStrings(array)
}

// launchdLost returns warnings about what a property list of kardianos/service has and that
// of s has not.
func launchdLost(old string, s manage.Spec, account string) (warnings []string) {
	user := ""
	for part := range strings.SplitSeq(old, "\n\t<key>") {
		key, value, ok := strings.Cut(part, "</key>")
		if !ok {
			continue // what stands before the first
		}
		value, _, _ = strings.Cut(value, "</dict>\n</plist>")
		list := xmlStrings(value)
		carried := false
		switch key {
		case "Disabled", "SessionCreate":
			carried = strings.Contains(value, "<false")
		case "KeepAlive", "Label", "RunAtLoad", "StandardErrorPath", "StandardOutPath":
			carried = true
		case "ProgramArguments":
			carried = slices.Equal(list, append([]string{s.Executable}, s.Arguments...))
		case "UserName":
			user = strings.Join(list, "")
			carried = user == account
		case "WorkingDirectory":
			carried = strings.Join(list, "") == s.WorkingDirectory
		case "EnvironmentVariables":
			for name, value := range xmlPairs(value) {
				if has, ok := s.Environment[name]; !ok || has != value {
					warnings = append(warnings, manage.NotCarried("the variable "+name+"="+value))
				}
			}
			continue
		}
		if !carried {
			warnings = append(warnings, manage.NotCarried(strings.Join(strings.Fields(key+": "+value), " ")))
		}
	}
	slices.Sort(warnings)
	if user == "" && !s.User {
		warnings = append(warnings, manage.FormerRoot(account)...)
	}
	return warnings
}

// xmlStrings returns the strings in a value.
func xmlStrings(value string) (list []string) {
	for part := range strings.SplitSeq(value, "<string>") {
		if text, _, ok := strings.Cut(part, "</string>"); ok {
			list = append(list, unescapeXML(text))
		}
	}
	return list
}

// xmlPairs returns the strings in a dictionary, by their keys.
func xmlPairs(value string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(value, "<key>") {
		if key, rest, ok := strings.Cut(part, "</key>"); ok {
			m[unescapeXML(key)] = strings.Join(xmlStrings(rest), "")
		}
	}
	return m
}
