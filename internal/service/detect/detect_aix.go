package detect

import (
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func find(m manage.Machine, user bool, _ []Extra) (manage.Manager, error) {
	return machineOnly(kardianos.New(m), user)
}
