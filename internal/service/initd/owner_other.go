//go:build !unix

package initd

import "github.com/go-glidepath/glidepath/internal/service/onefile"

func owner(string) (uid int, ok bool) { return 0, false }

func belongs(string) (o onefile.Owner, ok bool) { return o, false }
