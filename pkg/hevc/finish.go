package hevc

// finishBand filters and puts out a band whose samples are all decoded, and makes ready for the next.
func (d *decoder) finishBand() {
	seq := d.seq
	begin, end := d.bandFirst<<seq.log2CTB, min(d.bandEnd<<seq.log2CTB, seq.height)
	last := end == seq.height
	from, to := begin, end
	if d.filtered {
		if begin > 0 {
			from -= carried / 2
		}
		if !last {
			to -= carried / 2
		}
	}
	for c := range d.out.Planes {
		b := &d.bands[c]
		if !last {
			copy(b.line, b.pix[d.at(c, 0, end>>seq.down(c)-1):][:b.stride])
		}
	}
	if d.filtered {
		d.deblock(begin, end)
	}
	for c := range d.out.Planes {
		d.putOut(c, from>>seq.down(c), to>>seq.down(c))
	}
	if last {
		return
	}
	for c := range d.out.Planes {
		b := &d.bands[c]
		copy(b.pix, b.pix[d.at(c, 0, end>>seq.down(c)-b.carry):][:b.carry*b.stride])
	}
	d.bandFirst = d.bandEnd
	d.bandEnd = d.endOfBand(d.bandFirst)
}
