package smf

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// identifier is what a name is to SMF, where only letters, digits, '-' and '_' are
// legal after a letter: others are _ and two digits.
func identifier(name string) string {
	var b strings.Builder
	for i, r := range []byte(name) {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if letter || i > 0 && ('0' <= r && r <= '9' || r == '-' || r == '_') {
			b.WriteByte(r)
			continue
		}
		if i == 0 {
			b.WriteByte('n') // a letter has to be first
		}
		fmt.Fprintf(&b, "_%02x", r)
	}
	return b.String()
}

// path is the name of the service without its instance; that of a template is a
// service below it.
func path(s service.Spec) string {
	p := "site/" + identifier(s.Name)
	if s.Template {
		p += "/" + identifier(s.Instance)
	}
	return p
}

func fmri(s service.Spec) string { return "svc:/" + path(s) + ":default" }

// privileges are what the service has: what a program of a user has, without looking
// at others' processes and making links to others' files.
func privileges(s service.Spec) string {
	switch s.Hardening.Profile {
	case service.None, service.Lenient:
		return ""
	case service.LowPorts:
		return "basic,!proc_info,!proc_session,!file_link_any,net_privaddr"
	}
	return "basic,!proc_info,!proc_session,!file_link_any"
}

// render is the manifest of the service. svc.startd gives the start method to a shell,
// after it has replaced what begins with a percent sign.
func render(s service.Spec, account string, d dirs.Dirs) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	method := func(name, exec string, seconds int) {
		line(`    <exec_method type="method" name="%s" exec="%s" timeout_seconds="%d"/>`, name, onefile.XML(exec), seconds)
	}
	budget := onefile.Seconds(onefile.StopBudget(s), 1)

	line(`<?xml version="1.0" encoding="UTF-8"?>`)
	line(`<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">`)
	line("<!-- %s -->", service.Mark)
	line(`<service_bundle type="manifest" name="%s">`, onefile.XML(s.ServiceName()))
	line(`  <service name="%s" type="service" version="1">`, path(s))
	line(`    <create_default_instance enabled="false"/>`)
	line(`    <single_instance/>`)
	dependency := func(name, grouping, on string) {
		line(`    <dependency name="%s" grouping="%s" restart_on="none" type="service">`, name, grouping)
		line(`      <service_fmri value="svc:/%s"/>`, on)
		line(`    </dependency>`)
	}
	dependency("filesystem", "require_all", "system/filesystem/local")
	for _, n := range s.Needs {
		if n == "network" {
			dependency("network", "require_all", "milestone/network")
			continue
		}
		// It may be named otherwise, or not be there: then it is not waited for.
		dependency("needs_"+identifier(n), "optional_all", "site/"+identifier(n))
	}
	line(`    <method_context%s>`, workingDirectory(s))
	credential := fmt.Sprintf(`user="%s"`, onefile.XML(account))
	if account == noaccess {
		credential += fmt.Sprintf(` group="%s"`, noaccess)
	}
	if p := privileges(s); p != "" && account != "root" {
		credential += fmt.Sprintf(` privileges="%s"`, p)
	}
	line(`      <method_credential %s/>`, credential)
	line(`      <method_environment>`)
	for _, v := range onefile.Environment(s, d) {
		line(`        <envvar name="%s" value="%s"/>`, v.Name, onefile.XML(v.Value))
	}
	line(`      </method_environment>`)
	line(`    </method_context>`)
	method("start", start(s), 0)
	method("stop", ":kill", budget)
	method("refresh", ":kill -HUP", 10)
	line(`    <property_group name="startd" type="framework">`)
	line(`      <propval name="duration" type="astring" value="child"/>`)
	line(`    </property_group>`)
	line(`    <stability value="Unstable"/>`)
	line(`    <template>`)
	text := func(element, value string) {
		line(`      <%s>`, element)
		line(`        <loctext xml:lang="C">%s</loctext>`, onefile.XML(value))
		line(`      </%s>`, element)
	}
	text("common_name", s.DisplayName)
	text("description", s.Description)
	line(`    </template>`)
	line(`  </service>`)
	line(`</service_bundle>`)
	return b.String()
}

// start is the start method, which becomes the program.
func start(s service.Spec) string {
	limit := ""
	if n := s.Limits.OpenFiles; n > 0 {
		limit = fmt.Sprintf("ulimit -n %d && ", n)
	}
	script := "umask 077; " + limit + "exec " + shell.Join(append([]string{s.Executable}, s.Args...)...)
	return strings.ReplaceAll(script, "%", "%%")
}

func workingDirectory(s service.Spec) string {
	if s.Directory == "" {
		return ""
	}
	return fmt.Sprintf(` working_directory="%s"`, onefile.XML(s.Directory))
}

// launched is the executable that a manifest of ours starts.
func launched(manifest string) string {
	_, rest, _ := strings.Cut(manifest, `exec="umask 077; `)
	line, _, _ := strings.Cut(rest, `"`)
	line = strings.ReplaceAll(onefile.Text(line), "%%", "%")
	if words := shell.After(line, "exec "); len(words) > 0 {
		return words[0]
	}
	return ""
}
