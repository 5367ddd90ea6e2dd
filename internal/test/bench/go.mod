module github.com/go-glidepath/glidepath/internal/test/bench

go 1.25.0

require (
	github.com/coreos/go-systemd/v22 v22.7.0
	github.com/go-glidepath/glidepath v0.0.0-00010101000000-000000000000
	github.com/kardianos/service v1.3.0
	go.uber.org/zap v1.28.0
)

require (
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap/exp v0.3.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/go-glidepath/glidepath => ../../..
