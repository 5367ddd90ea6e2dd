//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// row compares two sides of one measure.
type row struct {
	measure    string
	ours, peer float64
	unit       unit
	limit      limit
}

// unit writes a value for people.
type unit func(float64) string

func millis(ns float64) string { return fmt.Sprintf("%.1f ms", ns/1e6) }
func micros(ns float64) string { return fmt.Sprintf("%.0f µs", ns/1e3) }
func nanos(ns float64) string  { return fmt.Sprintf("%.0f ns", ns) }
func mebi(b float64) string    { return fmt.Sprintf("%.2f MiB", b/(1<<20)) }
func count(n float64) string   { return fmt.Sprintf("%.0f", n) }

// limit is how much is allowed: of the peer's value if it is relative, else of the
// measure itself. The zero limit allows everything.
type limit struct {
	value    float64
	relative bool
	set      bool
}

func ratio(v float64) limit  { return limit{value: v, relative: true, set: true} }
func atMost(v float64) limit { return limit{value: v, set: true} }

type table []row

func (t table) String() string {
	var b strings.Builder
	b.WriteString("| measure | ours | peer | ratio | limit | |\n|---|--:|--:|--:|--:|---|\n")
	for _, r := range t {
		verdict, bound := "", "–"
		switch {
		case r.limit.relative:
			bound = fmt.Sprintf("%.2f", r.limit.value)
		case r.limit.set:
			bound = r.unit(r.limit.value)
		}
		if r.limit.set {
			verdict = "ok"
			if r.missed() {
				verdict = "MISS"
			}
		}
		peer, ratio := "–", "–"
		if !math.IsNaN(r.peer) {
			peer = r.unit(r.peer)
		}
		if r.peer > 0 {
			ratio = fmt.Sprintf("%.2f", r.ours/r.peer)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.measure, r.unit(r.ours), peer, ratio, bound, verdict)
	}
	return b.String()
}

func (r row) missed() bool {
	if r.limit.relative {
		return r.ours > r.limit.value*r.peer
	}
	return r.ours > r.limit.value
}

// samples are the values of one side.
type samples []float64

func (s samples) median() float64 { return s.quantile(0.5) }

// quantile is the smallest sample that is not below a share q of all.
func (s samples) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// sides are the samples of one measure.
type sides struct{ ours, peer samples }

func (s sides) median(measure string, u unit, l limit) row {
	return row{measure, s.ours.median(), s.peer.median(), u, l}
}

// inTurn calls both n times. Who is first alternates too: what follows the other
// one finds the machine in another state than what comes after itself.
func inTurn(n int, ours, peer func() error) error {
	for i := range n {
		first, second := ours, peer
		if i%2 == 1 {
			first, second = peer, ours
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	return nil
}
