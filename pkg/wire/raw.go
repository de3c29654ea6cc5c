package wire

import "github.com/vmihailenco/msgpack/v5"

// Raw is an encoded value inside another message.
type Raw = msgpack.RawMessage

func rawOf(v any) Raw {
	if v == nil {
		return nil
	}
	return marshal(v)
}

// DecodeRaw decodes a value that came inside a message which has been decoded, and so walked, already.
func DecodeRaw(b Raw, v any) error {
	if len(b) == 0 {
		return nil // left out: v keeps its zero
	}
	return decode(b, v)
}
