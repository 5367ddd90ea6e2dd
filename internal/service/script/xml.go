package script

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\t", "&#9;")

var unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#9;", "\t")

// escapeXML returns s as the text of an element, or the value of an attribute.
func escapeXML(s string) string { return escaper.Replace(s) }

// unescapeXML undoes escapeXML.
func unescapeXML(s string) string { return unescaper.Replace(s) }

// xmlComment returns s as the text of a comment, which two hyphens would end.
func xmlComment(s string) string {
	s = strings.ReplaceAll(s, "--", "- -")
	return strings.ReplaceAll(s, "--", "- -") // of three
}

// checkXML refuses the two characters that XML cannot carry, and that Spec.Check lets through.
func checkXML(s manage.Spec) error {
	values := append([]string{s.Executable, s.WorkingDirectory, s.Account, s.Description, s.DisplayName}, s.Arguments...)
	for _, v := range manage.Vars(s.Environment) {
		values = append(values, v.Value)
	}
	for _, v := range values {
		if strings.ContainsAny(v, "\ufffe\uffff") {
			return fmt.Errorf("%w: %q has a character that XML cannot carry", manage.ErrConfig, v)
		}
	}
	return nil
}
