package detect

import (
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
)

func find(m manage.Machine, user bool, _ []Extra) (manage.Manager, error) {
	return machineOnly(script.NewSMF(m), user)
}
