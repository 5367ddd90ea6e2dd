module github.com/go-glidepath/glidepath/internal/test/interop

go 1.25.0

replace github.com/go-glidepath/glidepath => ../../..

require (
	github.com/coreos/go-systemd/v22 v22.7.0
	github.com/go-glidepath/glidepath v0.0.0-00010101000000-000000000000
	github.com/kardianos/service v1.3.0
	github.com/spf13/cobra v1.10.2
	github.com/urfave/cli/v3 v3.14.0
	go.uber.org/zap v1.28.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
