package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/script"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	return script.NewLaunchd(m, user), nil
}
