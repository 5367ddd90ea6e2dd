//go:build freebsd || dragonfly

package detect

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/script"
)

func find(m service.Machine, user bool, _ []Extra) (service.Manager, error) {
	if err := machineOnly("rc.d", user); err != nil {
		return nil, err
	}
	return script.NewRCD(m), nil
}
