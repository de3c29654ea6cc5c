package dashboard

// names is a bounded set of names of outputs. When it is full, a new name evicts the oldest.
type names struct {
	at    map[string]int64 // name → when it was made, unix milliseconds
	order []string         // the same names; when the set is full, the oldest is at next
	next  int
	most  int
}

func newNames(most int) names { return names{at: make(map[string]int64), most: most} }

func (n *names) add(name string, at int64) {
	if name == "" {
		return
	}
	if _, ok := n.at[name]; !ok {
		if len(n.order) < n.most {
			n.order = append(n.order, name)
		} else {
			delete(n.at, n.order[n.next])
			n.order[n.next] = name
			n.next = (n.next + 1) % n.most
		}
	}
	n.at[name] = at
}
