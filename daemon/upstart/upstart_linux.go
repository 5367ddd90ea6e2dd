package upstart

import (
	"github.com/go-glidepath/glidepath/internal/service/kardianos"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func manager(m manage.Machine) manage.Manager { return kardianos.New(m) }
