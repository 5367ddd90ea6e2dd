package script

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// smfIdentifier returns a name as SMF takes it, where only letters, digits, '-' and '_' are
// legal after a letter: others are _ and two digits.
func smfIdentifier(name string) string {
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

// smfPath returns the name of the service without its instance. An instance of a template is
// a service below it.
func smfPath(s manage.Spec) string {
	p := "site/" + smfIdentifier(s.Name)
	if s.Template {
		p += "/" + smfIdentifier(s.Instance)
	}
	return p
}

func fmri(s manage.Spec) string { return "svc:/" + smfPath(s) + ":default" }

// smfPrivileges returns those of the service: those of a program of a user, except for looking
// at the processes of others and making links to their files.
func smfPrivileges(s manage.Spec) string {
	switch s.Hardening.Profile {
	case service.Unconfined, service.Lenient:
		return ""
	case service.LowPorts:
		return "basic,!proc_info,!proc_session,!file_link_any,net_privaddr"
	}
	return "basic,!proc_info,!proc_session,!file_link_any"
}

// manifest writes XML.
type manifest struct{ lines }

func (m *manifest) method(name, exec string, seconds int) {
	m.line(`    <exec_method type="method" name="%s" exec="%s" timeout_seconds="%d"/>`, name, escapeXML(exec), seconds)
}

func (m *manifest) dependency(name, grouping, on string) {
	m.line(`    <dependency name="%s" grouping="%s" restart_on="none" type="service">`, name, grouping)
	m.line(`      <service_fmri value="svc:/%s"/>`, on)
	m.line(`    </dependency>`)
}

func (m *manifest) text(element, value string) {
	m.line(`      <%s>`, element)
	m.line(`        <loctext xml:lang="C">%s</loctext>`, escapeXML(value))
	m.line(`      </%s>`, element)
}

// smfManifest returns the manifest of s. svc.startd gives the start method to a shell, after
// it has replaced what begins with a percent sign.
func smfManifest(s manage.Spec, account string, l Layout) string {
	var m manifest
	m.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	m.line(`<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">`)
	m.line("<!-- %s -->", manage.Mark)
	m.line(`<service_bundle type="manifest" name="%s">`, escapeXML(s.ServiceName()))
	m.line(`  <service name="%s" type="service" version="1">`, smfPath(s))
	m.line(`    <create_default_instance enabled="false"/>`)
	m.line(`    <single_instance/>`)
	m.dependency("filesystem", "require_all", "system/filesystem/local")
	for _, n := range s.Dependencies {
		if n == "network" {
			m.dependency("network", "require_all", "milestone/network")
			continue
		}
		// It may have another name, or not exist: then it is not waited for.
		m.dependency("needs_"+smfIdentifier(n), "optional_all", "site/"+smfIdentifier(n))
	}
	m.context(s, account, l)
	m.method("start", smfStart(s), 0)
	m.method("stop", ":kill", seconds(stopBudget(s)))
	m.method("refresh", ":kill -HUP", 10)
	m.line(`    <property_group name="startd" type="framework">`)
	m.line(`      <propval name="duration" type="astring" value="child"/>`)
	m.line(`    </property_group>`)
	m.line(`    <stability value="Unstable"/>`)
	m.line(`    <template>`)
	m.text("common_name", s.DisplayName)
	m.text("description", s.Description)
	m.line("    </template>\n  </service>\n</service_bundle>")
	return m.String()
}

// context writes who the service is, and what it finds in its environment.
func (m *manifest) context(s manage.Spec, account string, l Layout) {
	directory := ""
	if s.WorkingDirectory != "" {
		directory = fmt.Sprintf(` working_directory="%s"`, escapeXML(s.WorkingDirectory))
	}
	m.line(`    <method_context%s>`, directory)
	credential := fmt.Sprintf(`user="%s"`, escapeXML(account))
	if account == noaccess {
		credential += fmt.Sprintf(` group="%s"`, noaccess)
	}
	if p := smfPrivileges(s); p != "" && account != "root" {
		credential += fmt.Sprintf(` privileges="%s"`, p)
	}
	m.line(`      <method_credential %s/>`, credential)
	m.line(`      <method_environment>`)
	for _, v := range Environment(s, l.Dirs) {
		m.line(`        <envvar name="%s" value="%s"/>`, v.Name, escapeXML(v.Value))
	}
	m.line("      </method_environment>\n    </method_context>")
}

// smfStart returns the start method, which becomes the program.
func smfStart(s manage.Spec) string {
	limit := ""
	if n := s.Limits.OpenFiles; n > 0 {
		limit = fmt.Sprintf("ulimit -n %d && ", n)
	}
	script := "umask 077; " + limit + "exec " + shell.Join(append([]string{s.Executable}, s.Arguments...)...)
	return strings.ReplaceAll(script, "%", "%%")
}

func (smf) Command(text string) []string {
	_, rest, _ := strings.Cut(text, `exec="umask 077; `)
	line, _, _ := strings.Cut(rest, `"`)
	line = strings.ReplaceAll(unescapeXML(line), "%%", "%")
	return shell.After(line, "exec ")
}

// smfLongest is the length that a value in the repository of SMF may have (scf_limit(3SCF)).
const smfLongest = 4095

// smfFits fails for a service whose manifest SMF would not import.
func smfFits(s manage.Spec) error {
	if n := len(smfStart(s)); n > smfLongest {
		return fmt.Errorf("%w: the start method, which is Executable and Arguments with quotes, has %d bytes: SMF takes at most %d", manage.ErrConfig, n, smfLongest)
	}
	for _, v := range manage.Vars(s.Environment) {
		if n := len(v.Name + "=" + v.Value); n > smfLongest {
			return fmt.Errorf("%w: Environment[%s] has %d bytes with its name: SMF takes at most %d", manage.ErrConfig, v.Name, n, smfLongest)
		}
	}
	return nil
}
