package local

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service"
)

func find(_ service.Machine, user bool) (service.Manager, error) {
	if err := machineOnly("Windows", user); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: Windows is not written yet", service.ErrNotSupported)
}
