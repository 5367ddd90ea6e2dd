package queue

// item is a record that waits.
type item struct {
	b     []byte
	cost  int // of the memory that it takes
	seq   uint64
	tells uint64  // not 0: it is the record about the losses up to this number
	void  bool    // it ends a record that is counted as lost already
	alert *waiter // the call that logged it, if that waits
}

// overhead is how much memory a record takes in addition to its bytes: an item, in a list
// that doubles when it grows.
const overhead = 128

// lane is a bounded list of records, the oldest first.
type lane struct {
	items []item
	first int // the items before it are gone
	size  int
	limit int
}

func (l *lane) len() int { return len(l.items) - l.first }

func (l *lane) head() *item { return &l.items[l.first] }

// fits reports whether there is room for n bytes more.
func (l *lane) fits(n int) bool { return l.size+n+overhead <= l.limit }

// holds reports whether a record up to that number is in it.
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
		const few = 64 // are kept for the next ones
		if l.items, l.first = l.items[:0], 0; cap(l.items) > few {
			l.items = nil
		}
	}
	return it
}
