package logtext

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	defaultLine = 16 << 10 // where container runtimes split lines
	minLine     = 4 << 10
	minCut      = 64 // bytes of a text that stay, before what its objects cost is looked at
	maxMark     = 28 // of what says that a text is cut
	maxPath     = 100
)

// shorten makes the members of an object of JSON, each but the first with a comma before
// it, at most room bytes long, the note included that says what is missing: a member
// called name, a list of texts. The longest texts are cut first, wherever they are; if
// that is not enough, members are left out, large ones first and then the last ones: such
// as are no objects, and if that is not enough either, any of those at the top. What stays
// is valid, and keeps its type.
func shorten(members []byte, room int, name string) []byte {
	noteRoom := max(room/16, 32)
	room -= noteRoom
	texts := note{room: noteRoom}
	cut := cutTexts(members, room, &texts)
	short, n := cut, texts
	for _, objects := range []bool{false, true} {
		if len(short) > room {
			n = texts.clone()
			short = leaveOut(cut, room, objects, &n)
		}
	}
	return n.append(short, name)
}

// note is what a line says of what is missing in it.
type note struct {
	list []byte
	room int
	more int
}

func (n *note) clone() note { return note{slices.Clone(n.list), n.room, n.more} }

// add adds a node, and how many bytes there were of it.
func (n *note) add(members []byte, nodes []jsonNode, i, size int) {
	if n.more > 0 {
		n.more++
		return
	}
	path := path(members, nodes, i)
	start := len(n.list)
	if start > 0 {
		n.list = append(n.list, ',')
	}
	n.list = append(n.list, '"')
	n.list = append(n.list, path[:encodedEnd(path, maxPath)]...)
	n.list = strconv.AppendInt(append(n.list, " ("...), int64(size), 10)
	n.list = append(n.list, " bytes)\""...)
	if len(n.list) > n.room-64 {
		n.list = n.list[:start]
		n.more = 1
	}
}

func (n *note) append(b []byte, name string) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), `":[`...)
	b = append(b, n.list...)
	if n.more > 0 {
		if len(n.list) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, '"'), int64(n.more), 10)
		b = append(b, ` more"`...)
	}
	return append(b, ']')
}

// node is a value within an object of JSON, or within an array.
type jsonNode struct {
	key, start, end int // of the key's quote, or that of the value without one; of the value; behind it
	keyEnd          int
	parent          int // the node of the object or the array, -1 for none
	kind            byte
}

// scan finds the values in members, which are valid, those inside of others included. An
// object or an array is before what is in it.
func scan(members []byte) []jsonNode {
	var nodes []jsonNode
	parent := -1
	for i := 0; i < len(members); {
		switch members[i] {
		case ',':
			i++
			continue
		case '}', ']':
			i++
			nodes[parent].end = i
			parent = nodes[parent].parent
			continue
		}
		n := jsonNode{key: i, keyEnd: i, start: i, parent: parent}
		if parent < 0 || nodes[parent].kind == '{' {
			n.keyEnd = textEnd(members, i)
			n.start = n.keyEnd + 1 // the colon
		}
		n.kind = members[n.start]
		switch n.kind {
		case '{', '[':
			i = n.start + 1
			parent = len(nodes)
		case '"':
			i = textEnd(members, n.start)
		default:
			i = n.start
			for i < len(members) && members[i] != ',' && members[i] != '}' && members[i] != ']' {
				i++
			}
		}
		n.end = i
		nodes = append(nodes, n)
	}
	return nodes
}

// textEnd is behind the string that begins at i.
func textEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// path is the keys that lead to a node, with dots between them.
func path(members []byte, nodes []jsonNode, i int) []byte {
	var b []byte
	for ; i >= 0; i = nodes[i].parent {
		if n := &nodes[i]; n.keyEnd > n.key {
			key := members[n.key+1 : n.keyEnd-1]
			if len(b) > 0 {
				key = append(append(slices.Clone(key), '.'), b...)
			}
			b = key
		}
	}
	return b
}

// cutTexts cuts the longest texts, so that members have at most room bytes if that is
// enough.
func cutTexts(members []byte, room int, n *note) []byte {
	nodes := scan(members)
	over := len(members) - room
	saved := func(most int) (bytes int) {
		for i := range nodes {
			if v := &nodes[i]; v.kind == '"' {
				bytes += max(v.end-v.start-2-most-maxMark, 0)
			}
		}
		return bytes
	}
	most, above := minCut, max(room, minCut)+1
	for above-most > 1 {
		if middle := (most + above) / 2; saved(middle) >= over {
			most = middle
		} else {
			above = middle
		}
	}
	out, done := make([]byte, 0, room), 0
	for i := range nodes {
		v := &nodes[i]
		if v.kind != '"' || v.end-v.start-2 <= most+maxMark {
			continue
		}
		text := members[v.start+1 : v.end-1]
		was := len(text)
		if before, ok := cutBefore(text); ok {
			was = before
		}
		n.add(members, nodes, i, was)
		out = append(out, members[done:v.start+1]...)
		out = append(out, text[:encodedEnd(text, most)]...)
		out = appendCut(out, 0, was)
		done = v.end - 1
	}
	return append(out, members[done:]...)
}

// cutBefore is how long a text was that says at its end that it is cut.
func cutBefore(text []byte) (was int, ok bool) {
	i := bytes.LastIndex(text, []byte("…("))
	if i < 0 || !bytes.HasSuffix(text, []byte(" bytes)")) {
		return 0, false
	}
	digits := text[i+len("…(") : len(text)-len(" bytes)")]
	if len(digits) > 15 {
		return 0, false
	}
	was, err := strconv.Atoi(string(digits))
	return was, err == nil && was >= i
}

// encodedEnd is where to cut what is inside of a string of JSON, so that it has at most
// most bytes: not within a character or an escape.
func encodedEnd(text []byte, most int) int {
	if len(text) <= most {
		return len(text)
	}
	end := 0
	for i := 0; i < len(text); {
		size := 1
		switch c := text[i]; {
		case c == '\\' && text[i+1] == 'u':
			size = 6
		case c == '\\':
			size = 2
		case c >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(text[i:])
		}
		if i += size; i > most {
			break
		}
		end = i
	}
	return end
}

// leaveOut leaves out members, until there are at most room bytes if that is enough:
// those that are no objects, or with objects any that are in no other.
func leaveOut(members []byte, room int, objects bool, n *note) []byte {
	nodes := scan(members)
	var all []int
	for i := range nodes {
		v := &nodes[i]
		if objects && v.parent < 0 || !objects && v.kind != '{' && !inArray(nodes, i) {
			all = append(all, i)
		}
	}
	size := func(i int) int { return nodes[i].end - nodes[i].key }
	large := room / 64
	slices.SortFunc(all, func(a, b int) int {
		if sizeA, sizeB := size(a), size(b); sizeA > large || sizeB > large {
			return cmp.Or(cmp.Compare(sizeB, sizeA), cmp.Compare(b, a))
		}
		return cmp.Compare(b, a)
	})
	left := len(members)
	out := make(map[int]bool)
	for _, i := range all {
		if left <= room {
			break
		}
		left -= size(i) + len(",")
		out[i] = true
		n.add(members, nodes, i, nodes[i].end-nodes[i].start)
	}
	short := make([]byte, 0, max(left, 0))
	done := 0
	for i := range nodes {
		if !out[i] {
			continue
		}
		short = append(short, members[done:nodes[i].key]...)
		done = nodes[i].end
		switch last := len(short) - 1; {
		case last >= 0 && short[last] == ',':
			short = short[:last]
		case done < len(members) && members[done] == ',':
			done++
		}
	}
	return append(short, members[done:]...)
}

func inArray(nodes []jsonNode, i int) bool {
	for i = nodes[i].parent; i >= 0; i = nodes[i].parent {
		if nodes[i].kind == '[' {
			return true
		}
	}
	return false
}
