package smf

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// lost are warnings about what a manifest of kardianos/service has, and a service in its
// place has not.
func lost(old string, s service.Spec, account string) (warnings []string) {
	for part := range strings.SplitSeq(old, "exec='") {
		exec, rest, _ := strings.Cut(part, "'")
		if strings.HasPrefix(strings.TrimSpace(rest), "timeout_seconds='10'") && onefile.Text(exec) != "bash -c "+s.Executable+" &" {
			warnings = append(warnings, service.NotCarried("the start method "+onefile.Text(exec)))
		}
	}
	for _, element := range []string{"<envvar ", "<method_credential ", "<method_context", "<propval "} {
		for i, part := range strings.Split(withoutComments(old), element) {
			if what, _, _ := strings.Cut(part, ">"); i > 0 {
				warnings = append(warnings, service.NotCarried(element+what+">"))
			}
		}
	}
	return append(warnings, service.FormerRoot(account)...)
}

func withoutComments(text string) string {
	before, rest, found := strings.Cut(text, "<!--")
	for found {
		_, rest, _ = strings.Cut(rest, "-->")
		var more string
		more, rest, found = strings.Cut(rest, "<!--")
		before += more
	}
	return before
}

// longestValue is how long a value in the repository of SMF may be (scf_limit(3SCF)).
const longestValue = 4095

// fits fails for a service whose manifest SMF would not import.
func fits(s service.Spec) error {
	if n := len(start(s)); n > longestValue {
		return fmt.Errorf("%w: the start method, which is Executable and Arguments with quotes, has %d bytes: SMF takes at most %d", service.ErrSpec, n, longestValue)
	}
	for _, v := range service.Vars(s.Environment) {
		if n := len(v.Name + "=" + v.Value); n > longestValue {
			return fmt.Errorf("%w: Environment[%s] has %d bytes with its name: SMF takes at most %d", service.ErrSpec, v.Name, n, longestValue)
		}
	}
	return nil
}
