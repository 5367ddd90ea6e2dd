package upstart

import (
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
)

func manager(m service.Machine) service.Manager { return kardianos.New(m) }
