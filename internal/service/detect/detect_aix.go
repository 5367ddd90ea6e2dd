package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	return machineOnly(kardianos.New(m), user)
}
