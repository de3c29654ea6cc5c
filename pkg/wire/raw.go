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

// DecodeRaw decodes a value from inside a message that was decoded, and so checked against the limits, before.
func DecodeRaw(b Raw, v any) error {
	if len(b) == 0 {
		return nil // it was left out: v stays as it is
	}
	return decode(b, v)
}
