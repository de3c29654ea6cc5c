package heif

// newCodec returns a codec for items of a kind, hvc1 or av01.
func newCodec(kind string) (codec, error) { return newWASM(kind) }
