package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/winsvc"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	if err := machineOnly("Windows", user); err != nil {
		return nil, err
	}
	return winsvc.New(m), nil
}
