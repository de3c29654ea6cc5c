package zsock

import "slices"

// topics finds the subscribers of a topic. However many subscribers there are, that costs one map look-up for each
// length that a prefix has, up to the topic's own, and one step for each match.
type topics struct {
	peers   map[string][]*peer // by prefix
	lengths []int              // of prefixes, ascending
	count   map[int]int        // prefixes of each length
}

func newTopics() topics {
	return topics{peers: make(map[string][]*peer), count: make(map[int]int)}
}

func (t *topics) add(prefix string, p *peer) {
	if t.peers[prefix] == nil {
		n := len(prefix)
		if t.count[n]++; t.count[n] == 1 {
			at, _ := slices.BinarySearch(t.lengths, n)
			t.lengths = slices.Insert(t.lengths, at, n)
		}
	}
	t.peers[prefix] = append(t.peers[prefix], p)
}

func (t *topics) remove(prefix string, p *peer) {
	list := t.peers[prefix]
	i := slices.Index(list, p)
	if i < 0 {
		return
	}
	if len(list) > 1 {
		last := len(list) - 1
		list[i], list[last] = list[last], nil
		t.peers[prefix] = list[:last]
		return
	}
	delete(t.peers, prefix)
	n := len(prefix)
	if t.count[n]--; t.count[n] == 0 {
		delete(t.count, n)
		at, _ := slices.BinarySearch(t.lengths, n)
		t.lengths = slices.Delete(t.lengths, at, at+1)
	}
}

// each calls f for every subscription that matches the topic, several times for a peer with several.
func (t *topics) each(topic []byte, f func(*peer)) {
	for _, n := range t.lengths {
		if n > len(topic) {
			return
		}
		for _, p := range t.peers[string(topic[:n])] {
			f(p)
		}
	}
}
