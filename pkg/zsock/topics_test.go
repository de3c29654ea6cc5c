package zsock

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTopicsMatchByPrefix(t *testing.T) {
	index := newTopics()
	all, images, both := &peer{id: 1}, &peer{id: 2}, &peer{id: 3}
	index.add("", all)
	index.add("image.", images)
	index.add("image.rejected", both)
	index.add("worker", both)
	matches := func(topic string) (ids []PeerID) {
		index.each([]byte(topic), func(p *peer) { ids = append(ids, p.id) })
		slices.Sort(ids)
		return ids
	}
	for topic, want := range map[string][]PeerID{
		"":                        {1},
		"image":                   {1},
		"image.":                  {1, 2},
		"image.rejected.corrupt":  {1, 2, 3},
		"worker.joined":           {1, 3},
		strings.Repeat("x", 1000): {1},
	} {
		if got := matches(topic); !slices.Equal(got, want) {
			t.Errorf("%.20q matches %v, want %v", topic, got, want)
		}
	}
	index.remove("image.", images)
	index.remove("image.", both) // was never there
	index.remove("", all)
	if got := matches("image.rejected"); !slices.Equal(got, []PeerID{3}) {
		t.Errorf("after removals: %v", got)
	}
}

// BenchmarkTopics500 measures finding the subscribers of a topic among 500 with 20 prefixes each, 10 of whom match.
func BenchmarkTopics500(b *testing.B) {
	index := newTopics()
	for i := range 500 {
		p := &peer{id: PeerID(i)}
		for j := range 20 {
			index.add(fmt.Sprintf("topic.%d.%d.", i%50, j), p)
		}
	}
	topic := []byte("topic.7.13.image.done")
	for b.Loop() {
		n := 0
		index.each(topic, func(*peer) { n++ })
		if n != 10 {
			b.Fatal(n)
		}
	}
}

// BenchmarkPublish500 measures Publish to 500 connected subscribers of everything, in memory.
func BenchmarkPublish500(b *testing.B) {
	cfg := Config{Network: Network{Inproc: NewInproc()}, MaxPeers: 500, SendHWM: 100}
	pub := opened(b, NewPub, cfg)
	mustListen(b, pub, "inproc://s")
	for range 500 {
		sub := opened(b, NewSub, cfg)
		_ = sub.Subscribe("")
		mustDial(b, sub, "inproc://s")
	}
	awaitTopics(b, pub, 500)
	for b.Loop() {
		if err := pub.Publish(text("topic", "event")); err != nil {
			b.Fatal(err)
		}
	}
}
