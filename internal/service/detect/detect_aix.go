package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	if err := machineOnly("the system resource controller", user); err != nil {
		return nil, err
	}
	return kardianos.New(m), nil
}
