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
	Measure    string
	Ours, Peer float64 // NaN where there is no peer
	Unit       unit
	Limit      limit
}

// unit writes a value for people.
type unit uint8

const (
	millis unit = iota
	micros
	nanos
	mebi
	count
)

func (u unit) text(v float64) string {
	switch u {
	case millis:
		return fmt.Sprintf("%.1f ms", v/1e6)
	case micros:
		return fmt.Sprintf("%.0f µs", v/1e3)
	case nanos:
		return fmt.Sprintf("%.0f ns", v)
	case mebi:
		return fmt.Sprintf("%.2f MiB", v/(1<<20))
	}
	return fmt.Sprintf("%.0f", v)
}

// limit is how much is allowed: of the peer's value if it is relative, else of the
// measure itself. The zero limit allows everything.
type limit struct {
	Value    float64
	Relative bool
	Set      bool
}

func ratio(v float64) limit  { return limit{Value: v, Relative: true, Set: true} }
func atMost(v float64) limit { return limit{Value: v, Set: true} }

type table []row

func (t table) String() string {
	var b strings.Builder
	b.WriteString("| measure | ours | peer | ratio | limit | |\n|---|--:|--:|--:|--:|---|\n")
	for _, r := range t {
		verdict, bound := "", "–"
		switch {
		case r.Limit.Relative:
			bound = fmt.Sprintf("%.2f", r.Limit.Value)
		case r.Limit.Set:
			bound = r.Unit.text(r.Limit.Value)
		}
		if r.Limit.Set {
			verdict = "ok"
			if r.missed() {
				verdict = "MISS"
			}
		}
		peer, ratio := "–", "–"
		if !math.IsNaN(r.Peer) {
			peer = r.Unit.text(r.Peer)
		}
		if r.Peer > 0 {
			ratio = fmt.Sprintf("%.2f", r.Ours/r.Peer)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Measure, r.Unit.text(r.Ours), peer, ratio, bound, verdict)
	}
	return b.String()
}

func (r row) missed() bool {
	if r.Limit.Relative {
		return r.Ours > r.Limit.Value*r.Peer
	}
	return r.Ours > r.Limit.Value
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
