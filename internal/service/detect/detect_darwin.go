package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/launchd"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	return launchd.New(m, user), nil
}
