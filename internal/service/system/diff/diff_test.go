package diff

import (
	"fmt"
	"testing"
)

func ExampleUnified() {
	fmt.Print(Unified("[Service]\nType=simple\nExecStart=/web\nRestart=always\n", "[Service]\nType=notify\nExecStart=/web\nRestart=always\nUMask=0077\n"))
	// Output:
	// @@ -1,4 +1,5 @@
	//  [Service]
	// -Type=simple
	// +Type=notify
	//  ExecStart=/web
	//  Restart=always
	// +UMask=0077
}

func TestTheSameIsNothing(t *testing.T) {
	for _, s := range []string{"", "a\n", "a\nb\n"} {
		if d := Unified(s, s); d != "" {
			t.Errorf("%q: %s", s, d)
		}
	}
}
