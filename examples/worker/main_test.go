package main

import (
	"os"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

func TestWorker_WritesItsLastLine(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	w := &worker{}
	sd := &daemontest.Systemd{}
	err := daemontest.Drive(t, sd, w, daemon.Config{}, func() {
		daemontest.Sleep(2500 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != "1\n2\ndone\n" {
		t.Errorf("the file contains %q", text)
	}
	if err := w.out.Close(); err == nil {
		t.Error("the file was left open")
	}
}
