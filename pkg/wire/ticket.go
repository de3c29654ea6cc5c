package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/vmihailenco/msgpack/v5"
)

// Tickets keep strangers from reporting results of tasks that they never had. A run draws a secret key and registers
// it with the sink. Each task carries a ticket, which the worker echoes in its result; the sink computes it again.

// Sizes in bytes.
const (
	RunKeySize = 32 // of the key of a run
	TicketSize = 16 // of a ticket: the first half of an HMAC-SHA256, so that a guess is right once in 2^128
	tokenSize  = 16 // of the token of a worker
)

// NewRunKey returns a random key of a run.
func NewRunKey() []byte {
	key := make([]byte, RunKeySize)
	_, _ = rand.Read(key) // it never fails
	return key
}

// TicketKey returns the key of the tickets of a run. The sink keeps it in the ledger while the run is live, and
// compares it to learn whether a caller has the key of the run, which it does not keep.
func TicketKey(runKey []byte) []byte {
	sum := sha256.Sum256(append([]byte("imagefarm ticket key 1"), runKey...))
	return sum[:]
}

// Ticket is a ticket, as bytes. It travels as a msgpack binary.
type Ticket string

// EncodeMsgpack implements msgpack.CustomEncoder.
func (t Ticket) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeBytes([]byte(t)) }

// DecodeMsgpack implements msgpack.CustomDecoder.
func (t *Ticket) DecodeMsgpack(d *msgpack.Decoder) error {
	b, err := d.DecodeBytes()
	*t = Ticket(b)
	return err
}

// MarshalText implements encoding.TextMarshaler: lower-case hexadecimal digits.
func (t Ticket) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, []byte(t)), nil }

// BlankTicket is the ticket of a task message that SealTask completes.
func BlankTicket() Ticket { return Ticket(make([]byte, TicketSize)) }

// Tickets makes the tickets of one run. It is not safe for concurrent use.
type Tickets struct {
	mac  hash.Hash
	text []byte
	sum  []byte
}

// NewTickets returns the tickets of a run with this TicketKey.
func NewTickets(ticketKey []byte) *Tickets { return &Tickets{mac: hmac.New(sha256.New, ticketKey)} }

// TicketOf is what a ticket is for: one delivery of a task to one worker.
type TicketOf struct {
	ID, Filename, Recipe string
	Delivery             int
	Proof                string // WorkerIdentity.Proof of the worker; empty for one that announces no token
}

// Of returns a ticket.
//
// The message is the id, filename, recipe, delivery (decimal) and proof, each after its length in four bytes,
// big-endian.
func (t *Tickets) Of(what TicketOf) Ticket {
	t.text = t.text[:0]
	for _, field := range [...]string{what.ID, what.Filename, what.Recipe, strconv.Itoa(what.Delivery), what.Proof} {
		t.text = binary.BigEndian.AppendUint32(t.text, uint32(len(field)))
		t.text = append(t.text, field...)
	}
	t.mac.Reset()
	t.mac.Write(t.text)
	t.sum = t.mac.Sum(t.sum[:0])
	return Ticket(t.sum[:TicketSize])
}

// Right reports whether ticket is the one for what, in a time that tells nothing about the right one.
func (t *Tickets) Right(ticket Ticket, what TicketOf) bool {
	return hmac.Equal([]byte(ticket), []byte(t.Of(what)))
}

// SealTask writes the ticket into the message of a task whose TaskInfo.Ticket has TicketSize bytes. The ticket is
// the last thing in the message, because the worker that gets the task is known last.
func SealTask(message []byte, ticket Ticket) { copy(message[len(message)-TicketSize:], ticket) }

// PrincipalProof is the proof of a worker that announces no token, but whose connection is authenticated: of whom it
// is, such as worker/w1. No token has this proof.
func PrincipalProof(principal string) string {
	if principal == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("imagefarm principal 1" + principal))
	return hex.EncodeToString(sum[:tokenSize])
}

// NewToken returns a random token of a worker.
func NewToken() string {
	token := make([]byte, tokenSize)
	_, _ = rand.Read(token) // it never fails
	return hex.EncodeToString(token)
}

// Proof returns a hash of the worker's token, for events: whoever reads it cannot announce the token. It is empty
// when the worker announced none.
func (w WorkerIdentity) Proof() string {
	if w.Token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("imagefarm worker 1" + w.Token))
	return hex.EncodeToString(sum[:tokenSize])
}
