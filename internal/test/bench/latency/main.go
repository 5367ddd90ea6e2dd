//go:build unix

// Latency sends itself one SIGTERM and prints how many nanoseconds later Stop was
// entered. Its argument says what it is run by.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	sddaemon "github.com/coreos/go-systemd/v22/daemon"
	"github.com/kardianos/service"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
)

// settle is how long the program is idle first: READY is out, and no thread of the
// runtime is still on its way to sleep.
const settle = 5 * time.Millisecond

func main() {
	var err error
	switch mode := os.Args[1]; mode {
	case "discard":
		core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel)
		err = daemon.Run(context.Background(), &probe{}, daemon.Config{Name: "latency", Logger: zap.New(core)})
	case "default":
		err = daemon.Run(context.Background(), &probe{}, daemon.Config{Name: "latency"})
	case "peer":
		err = runPeer()
	default:
		err = fmt.Errorf("%q: want discard, default or peer", mode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type probe struct{ sent time.Time }

func (p *probe) Start(context.Context) error {
	go p.kill()
	return nil
}

func (p *probe) Stop(context.Context) error {
	took := time.Since(p.sent)
	_, err := fmt.Println(took.Nanoseconds())
	return err
}

func (p *probe) kill() {
	time.Sleep(settle)
	p.sent = time.Now()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		panic(err)
	}
}

func runPeer() error {
	s, err := service.New(&peer{}, &service.Config{Name: "latency"})
	if err != nil {
		return err
	}
	return s.Run()
}

type peer struct{ probe probe }

func (p *peer) Start(service.Service) error {
	if _, err := sddaemon.SdNotify(true, sddaemon.SdNotifyReady); err != nil {
		return err
	}
	return p.probe.Start(context.Background())
}

func (p *peer) Stop(service.Service) error { return p.probe.Stop(context.Background()) }
