package onefile

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// User is the name of the account that a service runs as: unnamed if s names none.
func User(s service.Spec, unnamed string) string {
	switch {
	case s.Root():
		return "root"
	case s.Account != "":
		return s.Account
	}
	return unnamed
}

// Account is who the folders of a service belong to: root, the account of that name,
// or, if name is "", one of the service's own, which is made if there is none. how is
// what people are told of making one themselves, with a space before it.
func Account(ctx context.Context, m service.Machine, c *files.Change, s service.Spec, name, how string) (Owner, error) {
	switch {
	case s.Root():
		return Owner{}, nil
	case name != "":
		a, exists, err := account.Find(ctx, m, name)
		if err == nil && !exists {
			err = fmt.Errorf("there is no account %s; make it first%s", name, how)
		}
		return Owner{UID: a.UID, GID: a.GID}, err
	}
	a, made, err := account.Ensure(ctx, m, s.ServiceName(), "/nonexistent")
	if made {
		c.Call(func() error {
			_, err := account.Remove(context.WithoutCancel(ctx), m, s.ServiceName())
			return err
		})
	}
	return Owner{UID: a.UID, GID: a.GID}, err
}

// PurgeAll is Purge, and removes the account that Account has made.
func PurgeAll(ctx context.Context, m service.Machine, s service.Spec, b Belongings) (removed []string, err error) {
	removed, err = b.purge()
	made, failed := account.Remove(ctx, m, s.ServiceName())
	if made {
		removed = append(removed, "account "+account.Name(s.ServiceName()))
	}
	if failed != nil {
		return removed, errors.Join(err, failed) // the record stays, so that purge can be called again
	}
	return removed, errors.Join(err, b.Forget())
}
