package jpeg

// grid is how the MCUs of a sequential scan lie in the planes.
type grid struct {
	mcusX, mcusY int
	side         int // of a block in samples
	units        []unit
}

// layout returns the grid of a scan, with the tables to decode it.
func (d *Decoder) layout(dst *Planes, f *frame, s *scan) *grid {
	g := &grid{mcusX: f.mcusX, mcusY: f.mcusY, side: int(dst.Scale), units: d.units[:0]}
	use := someAC
	switch dst.Scale {
	case Eighth:
		use = dcOnly
	case Full:
		use = allAC
	}
	planes := dst.planes(len(f.components))
	for i, index := range s.components {
		c := &f.components[index]
		u := unit{
			codes:     d.cache.get(s.dc[i], s.ac[i], use),
			component: index,
			quant:     arranged(c.quant, dst.Scale),
			dcQuant:   int32(int16(c.quant[0])),
			pix:       planes[index].Pix,
			stride:    planes[index].Stride,
			step:      c.H * g.side,
			rows:      c.V * g.side,
		}
		if len(s.components) == 1 { // not interleaved: an MCU is one block
			g.mcusX, g.mcusY = c.blocksX, c.blocksY
			u.step, u.rows = g.side, g.side
			g.units = append(g.units, u)
			break
		}
		for u.y = 0; u.y < c.V; u.y++ {
			for u.x = 0; u.x < c.H; u.x++ {
				g.units = append(g.units, u)
			}
		}
	}
	d.units = g.units
	return g
}

func (g *grid) mcus() int { return g.mcusX * g.mcusY }

// seek sets the units to an MCU.
func (g *grid) seek(mcu int) {
	x, y := mcu%g.mcusX, mcu/g.mcusX
	for i := range g.units {
		u := &g.units[i]
		u.at = (y*u.rows+u.y*g.side)*u.stride + x*u.step + u.x*g.side
	}
}

// blank fills MCUs from up to until with mid-gray.
func (g *grid) blank(from, until int) {
	for mcu := from; mcu < until; mcu++ {
		g.seek(mcu)
		for i := range g.units {
			u := &g.units[i]
			for row := range g.side {
				fill(u.pix[u.at+row*u.stride:][:g.side], middle)
			}
		}
	}
}
