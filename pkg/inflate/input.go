package inflate

import "encoding/binary"

const (
	stageSize = 32 << 10
	padding   = 32 // zeros behind the last byte, so that words can be loaded without a look at the end
)

// input is the compressed data, copied piece by piece to a stage so that words can be loaded across the pieces' ends.
type input struct {
	next  func() []byte
	piece []byte // the part of the current piece that was not yet staged
	last  bool   // there are no more pieces
	pos   int    // of the next byte to load
	end   int    // of the bytes on the stage
	acc   uint64 // the next bits, least significant first
	n     uint   // how many bits of acc count
	stage [stageSize + padding]byte
}

func (in *input) reset(next func() []byte) {
	in.next, in.piece, in.last = next, nil, false
	in.pos, in.end, in.acc, in.n = 0, 0, 0, 0
}

// restage moves unread bytes to the beginning of the stage and fills it from the pieces. It returns false if there are
// no more bytes.
func (in *input) restage() bool {
	if in.last {
		return false
	}
	in.giveBack()
	had := copy(in.stage[:], in.stage[in.pos:in.end])
	in.pos, in.end = 0, had
	for in.end < stageSize {
		if len(in.piece) == 0 {
			if in.piece = in.next(); in.piece == nil {
				in.last = true
				break
			}
			continue
		}
		n := copy(in.stage[in.end:stageSize], in.piece)
		in.piece = in.piece[n:]
		in.end += n
	}
	clear(in.stage[in.end:min(in.end+padding, len(in.stage))])
	return in.end > had
}

// giveBack moves whole bytes from acc back to the stage.
func (in *input) giveBack() {
	in.pos -= int(in.n >> 3)
	in.n &= 7
	in.acc &= 1<<in.n - 1
}

// need makes acc hold at least n bits, n at most 48. It returns false if the data ends before; then zeros follow the
// remaining bits.
func (in *input) need(n uint) bool {
	for in.n < n {
		if in.pos == in.end && !in.restage() {
			return false
		}
		in.acc |= uint64(in.stage[in.pos]) << in.n
		in.pos++
		in.n += 8
	}
	return true
}

// take returns the next n bits, n at most 48, or false when the data ends before.
func (in *input) take(n uint) (uint64, bool) {
	if !in.need(n) {
		return 0, false
	}
	v := in.acc & (1<<n - 1)
	in.acc >>= n
	in.n -= n
	return v, true
}

// align drops bits up to the next byte.
func (in *input) align() {
	in.acc >>= in.n & 7
	in.n &^= 7
}

// copyTo copies whole bytes to p and returns how many; 0 when the data has ended. The bits must be aligned.
func (in *input) copyTo(p []byte) int {
	in.giveBack()
	if in.pos == in.end && !in.restage() {
		return 0
	}
	n := copy(p, in.stage[in.pos:in.end])
	in.pos += n
	return n
}

func load64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func store64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
