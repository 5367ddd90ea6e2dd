package onefile

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Examine looks at the file of a service and at its executable. Where there is no file
// it finds that alone.
func Examine(tree files.Tree, path string, s service.Spec, safe func(string, bool) error) []service.Finding {
	var found []service.Finding
	text, exists, err := tree.Read(path)
	switch {
	case err != nil:
		return append(found, service.Finding{Level: service.Problem, What: "file", Detail: err.Error()})
	case !exists:
		return append(found, service.Finding{Level: service.Problem, What: "file", Detail: "there is no " + path, Remedy: "install the service"})
	case !service.Marked(text):
		found = append(found, service.Finding{Level: service.Warning, What: "file", Detail: path + " was made by another program", Remedy: "install makes it anew"})
	default:
		found = append(found, service.Finding{Level: service.OK, What: "file", Detail: path})
	}
	switch err := safe(tree.Path(s.Executable), s.User); {
	case errors.Is(err, service.ErrUnsafe):
		return append(found, service.Finding{Level: service.Warning, What: "executable", Detail: err.Error()})
	case err != nil:
		return append(found, service.Finding{Level: service.Problem, What: "executable", Detail: err.Error(), Remedy: "install the service anew, from where the program is now"})
	}
	return append(found, service.Finding{Level: service.OK, What: "executable", Detail: s.Executable})
}

// Elapsed reads what POSIX has ps print for etime: [[dd-]hh:]mm:ss.
func Elapsed(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	days, rest, ok := strings.Cut(s, "-")
	if !ok {
		days, rest = "0", s
	}
	d, err := strconv.Atoi(days)
	if err != nil || rest == "" {
		return 0, false
	}
	total := 0
	for part := range strings.SplitSeq(rest, ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, false
		}
		total = total*60 + n
	}
	return time.Duration(d)*24*time.Hour + time.Duration(total)*time.Second, true
}
