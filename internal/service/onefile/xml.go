package onefile

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\t", "&#9;")

var unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#9;", "\t")

// XML is s as the text of an element, or the value of an attribute.
func XML(s string) string { return escaper.Replace(s) }

// Text is what XML has made s of.
func Text(s string) string { return unescaper.Replace(s) }

// XMLComment is s as the text of a comment, in which two hyphens would be its end.
func XMLComment(s string) string {
	s = strings.ReplaceAll(s, "--", "- -")
	return strings.ReplaceAll(s, "--", "- -") // of three
}

// CheckXML refuses what no XML can carry: the two characters that are none, and that
// Spec.Check lets through.
func CheckXML(s service.Spec) error {
	values := append([]string{s.Executable, s.Directory, s.Account, s.Description, s.DisplayName}, s.Args...)
	for _, v := range service.Vars(s.Environment) {
		values = append(values, v.Value)
	}
	for _, v := range values {
		if strings.ContainsAny(v, "\ufffe\uffff") {
			return fmt.Errorf("%w: %q has a character that XML cannot carry", service.ErrSpec, v)
		}
	}
	return nil
}
