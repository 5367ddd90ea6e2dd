package smf

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
)

func TestWhatATakeoverDoesNotCarryOverIsNamed(t *testing.T) {
	text, err := os.ReadFile("testdata/kardianos.xml")
	if err != nil {
		t.Fatal(err)
	}
	s := service.Spec{Executable: "/usr/local/bin/web"}
	if got := lost(string(text), s, "root"); got != nil {
		t.Errorf("as it was: %q", got)
	}
	if got, want := lost(string(text), s, "web"), service.FormerRoot("web"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old := strings.NewReplacer("bin/web &amp;", "bin/web -v &amp;", "<single_instance />", `<!-- <propval name='a'/> --><method_context><method_environment><envvar name="A" value="1"/></method_environment></method_context>`).Replace(string(text))
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want := []string{before + "the start method bash -c /usr/local/bin/web -v &" + after, before + `<envvar name="A" value="1"/>` + after, before + "<method_context>" + after}
	if got := lost(old, s, "root"); !slices.Equal(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestWhatIsTooLongForTheRepositoryIsRefused(t *testing.T) {
	for _, c := range []struct {
		spec service.Spec
		want string
	}{
		{service.Spec{Executable: "/web", Args: []string{strings.Repeat("x", 4095-len("umask 077; exec /web "))}}, ""},
		{service.Spec{Executable: "/web", Args: []string{strings.Repeat("x", 4096-len("umask 077; exec /web "))}}, "the start method, which is Executable and Arguments with quotes, has 4096 bytes: SMF takes at most 4095"},
		{service.Spec{Environment: map[string]string{"A": strings.Repeat("x", 4093)}}, ""},
		{service.Spec{Environment: map[string]string{"A": strings.Repeat("x", 4094)}}, "Environment[A] has 4096 bytes with its name: SMF takes at most 4095"},
	} {
		got := ""
		if err := fits(c.spec); err != nil {
			got = strings.TrimPrefix(err.Error(), service.ErrSpec.Error()+": ")
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
