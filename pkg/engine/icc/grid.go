package icc

// grid is a profile of tables as one table: colours at evenly spaced values behind the curves of the device's channels,
// of which the first varies slowest. Between the nodes it is interpolated over tetrahedra.
//
// The values are not levels of a target, since levels bend where a colour leaves the target. They are X, Y and Z where
// the profile interpolates these, else what L*a*b* is a sum of.
type grid struct {
	nodes [][3]float32 // X, Y and Z, relative to white, or their roots
	roots bool
	step  [4]int32 // from one node to the next, by channel
	base  [4][256]int32
	part  [4][256]float32 // of the way to the next node
}

// The most nodes in each direction, for three and for four channels.
const (
	nodes3 = 33
	nodes4 = 17
)

// spacing returns how many nodes a grid has in each direction: so many that those of the profile's table are among
// them, if it can be.
func (l *lut) spacing(most int) int {
	if l.grid == nil || l.grid.size[0] < 2 || l.grid.size[0] > most {
		return most
	}
	between := l.grid.size[0] - 1
	return between*((most-1)/between) + 1
}

func (p *Profile) newGrid() *grid {
	channels, n := 3, p.tables.spacing(nodes3)
	if p.Space == CMYK {
		channels, n = 4, p.tables.spacing(nodes4)
	}
	g := &grid{roots: p.lab || p.tables.grid == nil}
	count := 1
	for i := channels - 1; i >= 0; i-- {
		g.step[i] = int32(count)
		count *= n
	}
	for i := range channels {
		for v := range 256 {
			in := float64(v) / 255
			if p.tables.first != nil {
				in = min(max(p.tables.first[i](in), 0), 1)
			}
			at := in * float64(n-1)
			node := min(int(at), n-2)
			g.base[i][v], g.part[i][v] = int32(node)*g.step[i], float32(at-float64(node))
		}
	}
	g.nodes = make([][3]float32, count)
	for at := range g.nodes {
		var in [4]float64
		for i, rest := channels-1, at; i >= 0; i-- {
			in[i] = float64(rest%n) / float64(n-1)
			rest /= n
		}
		for i, v := range p.adapted(p.tables.xyz(p.tables.behindCurves(in), p.lab)) {
			if v /= d50[i]; g.roots {
				v = root(v)
			}
			g.nodes[at][i] = float32(min(max(v, -2), 2))
		}
	}
	return g
}

// tetrahedron interpolates over three channels from a node on.
func (g *grid) tetrahedron(at int32, part [3]float32, step [3]int32) (out [3]float32) {
	// The channels in the order of their parts, the largest first.
	a, b, c := 0, 1, 2
	if part[a] < part[b] {
		a, b = b, a
	}
	if part[b] < part[c] {
		b, c = c, b
	}
	if part[a] < part[b] {
		a, b = b, a
	}
	v0 := &g.nodes[at]
	at += step[a]
	v1 := &g.nodes[at]
	at += step[b]
	v2 := &g.nodes[at]
	at += step[c]
	v3 := &g.nodes[at]
	w0, w1, w2, w3 := 1-part[a], part[a]-part[b], part[b]-part[c], part[c]
	for k := range out {
		out[k] = w0*v0[k] + w1*v1[k] + w2*v2[k] + w3*v3[k]
	}
	return out
}

func (g *grid) rgb(in [3]byte) [3]float32 {
	at := g.base[0][in[0]] + g.base[1][in[1]] + g.base[2][in[2]]
	return g.tetrahedron(at, [3]float32{g.part[0][in[0]], g.part[1][in[1]], g.part[2][in[2]]}, [3]int32(g.step[:3]))
}

// cmyk interpolates between two tables of three channels.
func (g *grid) cmyk(in [4]byte) [3]float32 {
	at := g.base[0][in[0]] + g.base[1][in[1]] + g.base[2][in[2]] + g.base[3][in[3]]
	part, step := [3]float32{g.part[1][in[1]], g.part[2][in[2]], g.part[3][in[3]]}, [3]int32(g.step[1:])
	v := g.tetrahedron(at, part, step)
	if p := g.part[0][in[0]]; p > 0 {
		next := g.tetrahedron(at+g.step[0], part, step)
		for k := range v {
			v[k] += p * (next[k] - v[k])
		}
	}
	return v
}
