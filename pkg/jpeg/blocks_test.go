package jpeg

import (
	"math/rand/v2"
	"testing"
)

// Each loop over blocks and the plain one go through the first restart segment of the same data, sound or damaged, in
// step: they must be equal in all that they leave.
func TestVectorBlocksEqualPlainOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for i := range 600 {
		p := randomPicture(r)
		p.progressive = false
		data := p.encode()
		if i%2 == 1 {
			for range 1 + r.IntN(3) {
				data[len(data)/2+r.IntN(len(data)/2)] ^= 1 << r.IntN(8)
			}
		}
		for _, scale := range scales[:len(scales)-1] {
			equalBlocks(t, data, scale)
		}
		if t.Failed() {
			t.Fatalf("picture %d, %v", i, p)
		}
	}
}

func equalBlocks(t *testing.T, data []byte, scale Scale) {
	p := newParser(data)
	if p.headers() != nil || p.frame.progressive {
		return
	}
	_ = p.all() // what is damaged is not of interest here
	for i := range p.scans {
		s := &p.scans[i]
		var grids [2]*grid
		var decoders [2]Decoder
		var planes [2]Planes
		for k := range grids {
			planes[k].shape(&p.header, &p.frame, scale)
			grids[k] = decoders[k].layout(&planes[k], &p.frame, s)
			e := &decoders[k].entropy
			e.sink.place, e.sink.last = places[scale], lastNeeded[scale]
			e.open(data[s.from:s.to])
		}
		a, b := &decoders[0].entropy, &decoders[1].entropy
		for mcu := 0; mcu < s.segmentEnd(0, grids[0].mcus()); {
			count := min(s.segmentEnd(0, grids[0].mcus())-mcu, grids[0].mcusX-mcu%grids[0].mcusX)
			grids[0].seek(mcu)
			grids[1].seek(mcu)
			done, f := a.blocks(grids[0].units, count, scale)
			want, wantFault := b.plainBlocks(grids[1].units, count, b.end, scale)
			if done != want || f != wantFault || a.r.consumed() != b.r.consumed() || a.pred != b.pred {
				t.Errorf("%d/8: %d MCUs, %v, %d bits, %v; plain: %d, %v, %d, %v", scale,
					done, f, a.r.consumed(), a.pred, want, wantFault, b.r.consumed(), b.pred)
			}
			for k := range grids { // over what vectors have spilled
				grids[k].blank(mcu+done, (mcu/grids[k].mcusX+1)*grids[k].mcusX)
			}
			samePlanes(t, &planes[0], &planes[1])
			mcu += done
			if t.Failed() || f != noFault || a.spent() || done == 0 {
				return
			}
			if done < count {
				a.load()
				b.load()
			}
		}
	}
}
