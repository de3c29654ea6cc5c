package jpeg

// encodeWhole encodes planes with all coefficients in memory, three bytes for each pixel of a picture in 4:2:0. A
// choice among scans needs that, and so does one among the values of coefficients by what they cost.
func (e *Encoder) encodeWhole(planes []Plane, opt EncodeOptions) []byte {
	quant := tablesOf(opt)
	e.begin(planes, quant)
	rows := ceilDiv(planes[0].Height, 8*planes[0].V)
	for i := range e.components {
		e.components[i].beginWhole(rows)
	}
	e.quantizeWhole(rows)
	if opt.Trellis {
		e.choose(rows, quant)
	}
	if opt.Progressive {
		e.progressive(planes, quant)
	} else {
		e.sequential(planes, quant, rows)
	}
	out := append(e.out, 0xff, 0xd9)
	e.out = nil
	for i := range e.components {
		e.components[i].blocks, e.components[i].nonzero = nil, nil // parts of larger memory
	}
	return out
}

// tablesOf returns the quantization tables of luma and colour.
func tablesOf(opt EncodeOptions) [2]*[64]uint8 {
	luma := &lumaQuant
	if opt.Trellis {
		luma = &chosenLumaQuant
	}
	return [2]*[64]uint8{quantTable(luma, opt.Quality), quantTable(&colorQuant, opt.Quality)}
}

// beginWhole lays out memory for the coefficients of all rows of MCUs.
func (c *encoded) beginWhole(rows int) {
	n := c.across * c.V
	c.whole, c.wholeNonzero = sized(c.whole, 64*n*rows), sized(c.wholeNonzero, n*rows)
}

// useRow makes a row of MCUs that whose coefficients are in memory the one that e.row codes.
func (c *encoded) useRow(my int) {
	n := c.across * c.V
	c.blocks, c.nonzero = c.whole[64*n*my:][:64*n], c.wholeNonzero[n*my:][:n]
}

// quantizeWhole divides and rounds all coefficients, and counts the symbols of a sequential scan of them.
func (e *Encoder) quantizeWhole(rows int) {
	e.restart()
	for my := range rows {
		for i := range e.components {
			c := &e.components[i]
			c.useRow(my)
			c.transform(my, c.blocks, c.nonzero, c.div)
			c.blankPadding(my)
		}
		e.row()
		e.symbols = e.symbols[:0]
	}
}

// restart makes the next row the first one, of which nothing is counted yet.
func (e *Encoder) restart() {
	e.symbols, e.counts = e.symbols[:0], [4][256]uint32{}
	for i := range e.components {
		e.components[i].last = 0
	}
}

// blankPadding makes the blocks that lie wholly outside of the plane, which complete MCUs, cost the least: they have no
// AC coefficients and the DC coefficient of the block that is coded before them.
func (c *encoded) blankPadding(my int) {
	across, down := ceilDiv(c.Width, 8), ceilDiv(c.Height, 8)-my*c.V
	for v := range c.V {
		for bx := range c.perRow * c.H {
			if bx < across && v < down {
				continue
			}
			at := v*c.across + bx
			before := at - 1
			if bx%c.H == 0 {
				before = at - c.across + c.H - 1 // the last one of the row above, in the same MCU
			}
			dc := c.blocks[64*before]
			clear(c.blocks[64*at:][:64])
			c.blocks[64*at], c.nonzero[at] = dc, 0
		}
	}
}

// sequential writes a sequential scan of the coefficients in memory, whose symbols are counted.
func (e *Encoder) sequential(planes []Plane, quant [2]*[64]uint8, rows int) {
	e.tables(planes, quant, true)
	e.restart()
	for my := range rows {
		for i := range e.components {
			e.components[i].useRow(my)
		}
		e.row()
		e.out = e.writer.write(e.out, e.symbols, my == rows-1)
		e.symbols = e.symbols[:0]
	}
}
