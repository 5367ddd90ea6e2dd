package launchd

import (
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// lost are warnings about what a property list of kardianos/service has and that of s has
// not.
func lost(old string, s service.Spec, account string) (warnings []string) {
	user := ""
	for part := range strings.SplitSeq(old, "\n\t<key>") {
		key, value, ok := strings.Cut(part, "</key>")
		if !ok {
			continue // what stands before the first
		}
		value, _, _ = strings.Cut(value, "</dict>\n</plist>")
		list := texts(value)
		carried := false
		switch key {
		case "Disabled", "SessionCreate":
			carried = strings.Contains(value, "<false")
		case "KeepAlive", "Label", "RunAtLoad", "StandardErrorPath", "StandardOutPath":
			carried = true
		case "ProgramArguments":
			carried = slices.Equal(list, append([]string{s.Executable}, s.Args...))
		case "UserName":
			user = strings.Join(list, "")
			carried = user == account
		case "WorkingDirectory":
			carried = strings.Join(list, "") == s.Directory
		case "EnvironmentVariables":
			for name, value := range pairs(value) {
				if has, ok := s.Environment[name]; !ok || has != value {
					warnings = append(warnings, service.NotCarried("the variable "+name+"="+value))
				}
			}
			continue
		}
		if !carried {
			warnings = append(warnings, service.NotCarried(strings.Join(strings.Fields(key+": "+value), " ")))
		}
	}
	slices.Sort(warnings)
	if user == "" && !s.User {
		warnings = append(warnings, service.FormerRoot(account)...)
	}
	return warnings
}

// texts are the texts of a value.
func texts(value string) (list []string) {
	for part := range strings.SplitSeq(value, "<string>") {
		if text, _, ok := strings.Cut(part, "</string>"); ok {
			list = append(list, onefile.Text(text))
		}
	}
	return list
}

// pairs are the texts of a dictionary, by their keys.
func pairs(value string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(value, "<key>") {
		if key, rest, ok := strings.Cut(part, "</key>"); ok {
			m[onefile.Text(key)] = strings.Join(texts(rest), "")
		}
	}
	return m
}
