package wire_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestTicketIsForOneDeliveryToOneWorker(t *testing.T) {
	tickets := wire.NewTickets(wire.TicketKey(make([]byte, wire.RunKeySize)))
	what := wire.TicketOf{ID: "1", Filename: "a.jpg", Recipe: "r", Delivery: 1, Proof: "w"}
	right := tickets.Of(what)
	if !tickets.Right(right, what) {
		t.Error("the right ticket is wrong")
	}
	for name, change := range map[string]func(*wire.TicketOf){
		"id":       func(w *wire.TicketOf) { w.ID = "2" },
		"filename": func(w *wire.TicketOf) { w.Filename = "b.jpg" },
		"recipe":   func(w *wire.TicketOf) { w.Recipe = "s" },
		"delivery": func(w *wire.TicketOf) { w.Delivery = 2 },
		"worker":   func(w *wire.TicketOf) { w.Proof = "v" },
		"borders":  func(w *wire.TicketOf) { w.ID, w.Filename = "1a", ".jpg" },
	} {
		other := what
		change(&other)
		if tickets.Right(right, other) {
			t.Errorf("the ticket is right for another %s", name)
		}
	}
	if wire.NewTickets(wire.TicketKey([]byte("another"))).Right(right, what) {
		t.Error("the ticket is right with another key")
	}
	for _, wrong := range []wire.Ticket{"", right[:8], right + "\x00"} {
		if tickets.Right(wrong, what) {
			t.Errorf("a ticket of %d bytes is right", len(wrong))
		}
	}
}

func TestSealedTaskHasItsTicket(t *testing.T) {
	task := wire.Task{Filename: "a.jpg", Data: []byte("x"), TaskInfo: wire.TaskInfo{ID: "1", Source: "/s",
		Ticket: wire.BlankTicket()}}
	message := task.Encode()
	ticket := wire.Ticket(strings.Repeat("7", wire.TicketSize))
	wire.SealTask(message, ticket)
	again, err := wire.DecodeTask(message)
	if err != nil || again.Ticket != ticket || again.Source != "/s" {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestIdentityWithUnknownFieldsIsRead(t *testing.T) {
	w := wire.WorkerIdentity{Name: "w 1", Slots: 2, Prefetch: 3, Token: wire.NewToken()}
	if again, ok := wire.ParseWorkerIdentity(w.String()); !ok || again != w {
		t.Errorf("%+v, %v", again, ok)
	}
	later, ok := wire.ParseWorkerIdentity("imagefarm/1 slots=2 color=red prefetch=3 name=w")
	if !ok || later.Prefetch != 3 || later.Proof() != "" {
		t.Errorf("%+v, %v", later, ok)
	}
	if w.Proof() == "" || w.Proof() == w.Token {
		t.Errorf("the proof is %q", w.Proof())
	}
}

func BenchmarkTicket(b *testing.B) {
	tickets := wire.NewTickets(wire.TicketKey(wire.NewRunKey()))
	what := wire.TicketOf{ID: "00112233445566778899aabbccddeeff", Filename: "holiday/beach.jpg",
		Recipe: "thumbnail64=fit:64x64;thumbnail128=fit:128x128", Delivery: 1, Proof: "00112233445566778899aabbccddeeff"}
	b.ReportAllocs()
	for b.Loop() {
		tickets.Of(what)
	}
}

// docs/PROTOCOL.md gives these values to those who write a ventilator of their own.
func TestTicketIsThatOfTheProtocol(t *testing.T) {
	key := bytesUpTo(wire.RunKeySize)
	w := wire.WorkerIdentity{Token: hex.EncodeToString(bytesUpTo(16))}
	for what, pair := range map[string][2]string{
		"ticket key": {hex.EncodeToString(wire.TicketKey(key)),
			"060f88240e5c978989a14e494e5c5689058d36f3b62e78b537ed630c5ce8d8e8"},
		"proof": {w.Proof(), "00a14edef79fc444de58de2d2d5bf50d"},
		"ticket": {hex.EncodeToString([]byte(wire.NewTickets(wire.TicketKey(key)).Of(wire.TicketOf{
			ID: "00112233445566778899aabbccddeeff", Filename: "a.gif", Recipe: "thumbnail64=fit:64x64", Delivery: 1,
			Proof: w.Proof()}))),
			"4632ff1d367396d85a00356af4070f11"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("the %s is %s, not %s", what, pair[0], pair[1])
		}
	}
}
