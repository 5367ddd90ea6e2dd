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
	minCut      = 64 // bytes of a text that are kept, before the overhead of its objects is considered
	maxMark     = 28 // the length of a note that a text was cut
	maxPath     = 100
)

// shorten cuts the members of a JSON object, each except the first after a comma, to at
// most room bytes. This includes a note about what is missing: a member called name, a list
// of texts. It first cuts the longest texts, at any depth. If that is not enough, it omits
// members: large ones first, then the last ones; first those that are not objects, then any
// at the top level. The result is valid JSON, and the remaining values keep their types.
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

// note collects what is missing in a line.
type note struct {
	list []byte
	room int
	more int
}

func (n *note) clone() note { return note{slices.Clone(n.list), n.room, n.more} }

// add adds a node and its original size in bytes.
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

// jsonNode locates a value in a JSON object or array.
type jsonNode struct {
	key, start, end int // offsets of the key's quote, or of the value if it has no key; of the value; of the end
	keyEnd          int
	parent          int // index of the enclosing object or array, -1 if none
	kind            byte
}

// scan finds all values in members, which must be valid JSON, including nested ones. An
// object or array precedes its contents.
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
			n.start = n.keyEnd + 1 // skips the colon
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

// textEnd returns the offset after the string that begins at i.
func textEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// path returns the keys that lead to a node, separated by dots.
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

// cutTexts cuts the longest texts until members fits into room bytes, if that is possible.
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

// cutBefore returns the original length of a text that has a note at its end that it was
// cut.
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

// encodedEnd returns where to cut the contents of a JSON string so that it has at most most
// bytes, without splitting a character or an escape.
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

// leaveOut omits members until the rest fits into room bytes, if that is possible: those
// that are not objects or, with objects, any at the top level.
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
