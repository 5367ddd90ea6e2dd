package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/script"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	if err := machineOnly("SMF", user); err != nil {
		return nil, err
	}
	return script.NewSMF(m), nil
}
