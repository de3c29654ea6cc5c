//go:build !purego

package jpeg

import "math"

// blocks is plainBlocks up to the entropy's end. It leaves blocks that look-ups do not end to that.
func (e *entropy) blocks(units []unit, mcus int, scale Scale) (done int, f fault) {
	if !bmi2 {
		return e.plainBlocks(units, mcus, e.end, scale)
	}
	within(units, mcus, int(scale), scale.spill())
	for from := 0; from > 0 || done < mcus && e.r.consumed() <= e.end; {
		n, at := blocksBMI2(e, &units[0], len(units), from, mcus-done, scale)
		done += n
		if at == 0 && (done == mcus || e.r.consumed() > e.end) {
			break
		}
		clear(e.sink.block[:])
		if _, f = e.plainBlocks(units[at:at+1], 1, math.MaxInt, scale); f != noFault {
			break
		}
		if from = at + 1; from == len(units) {
			from = 0
			done++
		}
	}
	return done, f
}

// within panics unless the blocks of MCUs to come, squares of a side, lie in the planes, what they spill included.
func within(units []unit, mcus, side, spill int) {
	for i := range units {
		u := &units[i]
		_ = u.pix[u.at:][(mcus-1)*u.step+(side-1)*u.stride+side+spill-1]
	}
}

// blocksBMI2 decodes MCUs, the first of them from a unit on, as long as look-ups end the blocks. It returns how many it
// completed, and which unit's block was in the way, or 0.
//
//go:noescape
func blocksBMI2(e *entropy, units *unit, count, from, mcus int, scale Scale) (done, at int)
