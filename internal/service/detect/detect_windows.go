package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/winsvc"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	return machineOnly(winsvc.New(m), user)
}
