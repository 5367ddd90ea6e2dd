package journal

import (
	"maps"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestKeysThatCannotBeToldFromTheNamesAreThere(t *testing.T) {
	j := listen(t)
	log := zap.New(j.core()).With(zap.Int("shardNumber", 3), zap.Int("plain_key", 4))
	bad := zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		enc.AddInt("notThere", 1)
		panic("no more")
	}))
	log.Info("m", zap.Int("user.id", 1), zap.Int("größe", 2), zap.String("message", "x"), bad, zap.Int("quote\"", 5), zap.Int("n", 6))
	got := NamesOf(value(j.next(), Keys))
	want := map[string]string{"SHARDNUMBER": "shardNumber", "USER_ID": "user.id", "GR__E": "größe", "FIELD_MESSAGE": "message", "QUOTE_": "quote\"", "FIELD_": ""}
	if !maps.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	log = zap.New(j.core())
	log.Info("m", zap.Int("plain_key", 4), zap.Int("n", 6))
	if got := value(j.next(), Keys); got != "" {
		t.Errorf("keys that can be told are %q", got)
	}
	log.Info("m", zap.Int(strings.Repeat("K", 3<<10), 4), zap.Int("aB", 6))
	if got := value(j.next(), Keys); got != `"aB"` {
		t.Errorf("with one that is too long they are %.50q", got)
	}
	if got := NamesOf(`"a" b`); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
