package launchd

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestWhatATakeoverDoesNotCarryOverIsNamed(t *testing.T) {
	text, err := os.ReadFile("testdata/kardianos.plist")
	if err != nil {
		t.Fatal(err)
	}
	old := string(text)
	root := service.Spec{Executable: "/usr/local/bin/web", Account: "root"}
	if got := lost(old, root, "root"); got != nil {
		t.Errorf("as it was: %q", got)
	}
	want := service.FormerRoot("_web")
	if got := lost(old, root, "_web"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old = strings.NewReplacer("bin/web</string>\n", "bin/web</string>\n\t\t<string>-a &amp; b</string>\n",
		"\t<key>KeepAlive", "\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>A</key>\n\t\t<string>1</string>\n\t\t<key>B</key>\n\t\t<string>2</string>\n\t</dict>\n\t<key>Nice</key>\n\t<integer>5</integer>\n\t<key>KeepAlive",
		"\t</dict>\n</plist>", "\t<key>UserName</key>\n\t<string>bob</string>\n\t<key>WorkingDirectory</key>\n\t<string>/srv</string>\n\t</dict>\n</plist>").Replace(old)
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want = []string{
		before + "Nice: <integer>5</integer>" + after,
		before + "ProgramArguments: <array> <string>/usr/local/bin/web</string> <string>-a &amp; b</string> </array>" + after,
		before + "UserName: <string>bob</string>" + after,
		before + "WorkingDirectory: <string>/srv</string>" + after,
		before + "the variable B=2" + after,
	}
	root.Environment = map[string]string{"A": "1", "B": "3"}
	if got := lost(old, root, "root"); !slices.Equal(got, want) {
		t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := service.Spec{Executable: "/usr/local/bin/web", Args: []string{"-a & b"}, Environment: map[string]string{"A": "1", "B": "2"}, Directory: "/srv"}
	if got := lost(old, all, "bob"); !slices.Equal(got, want[:1]) {
		t.Errorf("with all of it: %q", got)
	}
}
