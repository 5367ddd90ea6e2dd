module github.com/go-glidepath/glidepath

go 1.25.0

require (
	github.com/DeRuina/timberjack v1.4.9
	github.com/kardianos/service v1.3.0
	go.uber.org/goleak v1.3.0
	go.uber.org/zap v1.28.0
	golang.org/x/sys v0.47.0
)

require (
	github.com/klauspost/compress v1.18.7 // indirect
	go.uber.org/multierr v1.10.0 // indirect
)
