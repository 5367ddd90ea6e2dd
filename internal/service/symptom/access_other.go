//go:build !unix

package symptom

import (
	"os"

	"github.com/go-glidepath/glidepath/internal/service/system/listens"
)

// Here returns what is known about this machine, for a service.
func Here(Service) Machine {
	return Machine{
		Exists:  func(file string) bool { _, err := os.Stat(file); return err == nil },
		Barred:  func(string, Use) (string, string) { return "", "" },
		Group:   func(string) string { return "" },
		Listens: listens.Who,
	}
}
