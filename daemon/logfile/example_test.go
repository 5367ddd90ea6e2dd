package logfile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/logfile"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "web.log")

	p := daemon.Func(func(ctx context.Context, ready func()) error {
		daemon.Logger(ctx).Info("in the file")
		return nil
	})
	if err := daemon.Run(context.Background(), p, daemon.Config{
		Name:   "web",
		Logger: zap.New(logfile.New(logfile.Options{Path: file, RotateEvery: 24 * time.Hour})),
	}); err != nil {
		return
	}
	b, err := os.ReadFile(file)
	fmt.Println(strings.Contains(string(b), `"msg":"in the file"`), err)
	// Output: true <nil>
}
