package queue

// item holds a record that waits.
type item struct {
	b     []byte
	cost  int // the memory that it takes
	seq   uint64
	tells uint64  // if not 0, the item is the report about losses up to this number
	void  bool    // the item ends a record that is already counted as lost
	alert *waiter // the call that logged the record, if it waits
}

// overhead is the memory that a record takes in addition to its bytes: an item, in a list
// that doubles when it grows.
const overhead = 128

// lane holds records in order, the oldest first, up to a limit.
type lane struct {
	items []item
	first int // the index of the first item that is left
	size  int
	limit int
}

func (l *lane) len() int { return len(l.items) - l.first }

func (l *lane) head() *item { return &l.items[l.first] }

// fits reports whether there is room for n more bytes.
func (l *lane) fits(n int) bool { return l.size+n+overhead <= l.limit }

// holds reports whether the lane contains a record with a number up to upTo.
func (l *lane) holds(upTo uint64) bool { return l.len() > 0 && l.head().seq <= upTo }

func (l *lane) push(it item) {
	if l.first > 0 && len(l.items) == cap(l.items) && l.first >= len(l.items)/2 {
		n := copy(l.items, l.items[l.first:])
		clear(l.items[n:])
		l.items, l.first = l.items[:n], 0
	}
	it.cost = cap(it.b) + overhead
	l.size += it.cost
	l.items = append(l.items, it)
}

func (l *lane) pop() item {
	it := l.items[l.first]
	l.items[l.first] = item{}
	l.first++
	l.size -= it.cost
	if l.len() == 0 {
		const few = 64 // this many items are kept for reuse
		if l.items, l.first = l.items[:0], 0; cap(l.items) > few {
			l.items = nil
		}
	}
	return it
}
