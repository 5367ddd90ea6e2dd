package health

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAnswer_EncodeDecode(t *testing.T) {
	sent := Answer{State: "running", Since: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC), Unhealthy: "db: \"refused\"\n"}
	got, err := decode(bytes.NewReader(sent.encode()))
	if err != nil || got != sent {
		t.Errorf("got %+v, %v, want %+v", got, err, sent)
	}
}

func TestDecode_InvalidAnswer(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":        {"", io.ErrUnexpectedEOF.Error()},
		"half of one":    {`{"state":"runn`, "the answer is not valid"},
		"something else": {"HTTP/1.1 400 Bad Request\r\n", "the answer is not valid"},
		"no state":       {`{"status":"running"}`, `has an unknown state: ""`},
		"no such state":  {`{"state":"\u001b[31mrunning"}`, `an unknown state: "\x1b[31mrunning"`},
		"too much":       {`{"state":"running","reason":"` + strings.Repeat("x", maxAnswer) + `"}`, "longer than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := decode(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, %v, want an error with %q", a, err, test.want)
			}
		})
	}
}

// FuzzEncode checks that any text of the program and its errors fits into an answer.
func FuzzEncode(f *testing.F) {
	f.Add("SIGTERM", "db: connection refused")
	f.Add(strings.Repeat("\x00", 2000), strings.Repeat("€", 1000))
	f.Add("\xff\xfe", strings.Repeat("\xff", 5000))
	f.Fuzz(func(t *testing.T, reason, unhealthy string) {
		text := Answer{State: "reloading", Reason: reason, Unhealthy: unhealthy}.encode()
		if len(text) > maxAnswer || bytes.IndexByte(text, '\n') != len(text)-1 {
			t.Fatalf("%d bytes: %q", len(text), text)
		}
		a, err := decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []struct{ got, want string }{{a.Reason, reason}, {a.Unhealthy, unhealthy}} {
			if short := len(s.want) < 100 && utf8.ValidString(s.want); short && s.got != s.want {
				t.Errorf("got %q, want %q", s.got, s.want)
			}
			if (s.got == "") != (s.want == "") && utf8.ValidString(s.want) {
				t.Errorf("got %q, want the beginning of %q", s.got, s.want)
			}
		}
	})
}

// FuzzDecode decodes what any process that uses the name of the program may send.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"state":"running"}`))
	f.Add([]byte(`{"state":"running","since":"never"}`))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decode(bytes.NewReader(text))
		if err == nil && a.State == "" {
			t.Errorf("%q is an answer without a state", text)
		}
		if a.PID != 0 {
			t.Errorf("%q says which process it is, which only the kernel knows", text)
		}
		if len(text) == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("nothing is %v", err)
		}
	})
}
