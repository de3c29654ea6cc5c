package recipe

// sizeRule returns the size that an image of w×h pixels has after an operation. w and h are at least 1.
type sizeRule func(o Op, w, h int, enlarge bool) (int, int)

// Size returns the size that an image of w×h pixels has after o. Engines compute every target with it, from the
// original size, so that all of them agree to the pixel. w and h are at least 1, and so are the results.
//
// exact is false where the size depends on the pixels. Then Size returns the largest that is possible.
func (o Op) Size(w, h int, enlarge bool) (width, height int, exact bool) {
	row := operationOf(o.Word)
	if row == nil {
		return w, h, true
	}
	if row.size != nil {
		w, h = row.size(o, w, h, enlarge)
	}
	return w, h, !row.pixels
}

// Size returns the size of the output that v makes of an image of w×h pixels. w and h are as displayed where v applies
// the orientation, and as stored where not.
//
// exact is false where the size depends on the pixels. An operation that scales what a trim left can then make any size
// up to its own limits, so the size says little about the output's.
func (v Variant) Size(w, h int) (width, height int, exact bool) {
	exact = true
	for _, o := range v.Ops {
		var known bool
		w, h, known = o.Size(w, h, v.Enlarge)
		exact = exact && known
	}
	return w, h, exact
}

// Inner returns the size of the picture inside the border that a pad puts around it.
func (o Op) Inner(w, h int, enlarge bool) (int, int) { return fitSize(o, w, h, enlarge) }

// Cover returns the size to which a fill scales before it cuts.
func (o Op) Cover(w, h int, enlarge bool) (int, int) {
	if o.W == 0 || o.H == 0 {
		return fitSize(o, w, h, enlarge)
	}
	if !enlarge && (o.W >= w || o.H >= h) {
		return w, h
	}
	if int64(o.W)*int64(h) >= int64(o.H)*int64(w) {
		return o.W, max(o.H, scale(h, o.W, w))
	}
	return max(o.W, scale(w, o.H, h)), o.H
}

// fitSize returns the largest size inside o's box with the proportions of w×h.
func fitSize(o Op, w, h int, enlarge bool) (int, int) {
	if !enlarge && (o.W == 0 || w <= o.W) && (o.H == 0 || h <= o.H) {
		return w, h
	}
	if o.H == 0 || o.W > 0 && int64(o.W)*int64(h) <= int64(o.H)*int64(w) {
		return o.W, scale(h, o.W, w)
	}
	return scale(w, o.H, h), o.H
}

func fillSize(o Op, w, h int, enlarge bool) (int, int) {
	w, h = o.Cover(w, h, enlarge)
	return cut(w, o.W), cut(h, o.H)
}

func forceSize(o Op, w, h int, enlarge bool) (int, int) {
	tw, th := o.W, o.H
	if tw == 0 {
		tw = scale(w, th, h)
	}
	if th == 0 {
		th = scale(h, tw, w)
	}
	if !enlarge {
		tw, th = min(tw, w), min(th, h)
	}
	return tw, th
}

func padSize(o Op, w, h int, enlarge bool) (int, int) {
	w, h = o.Inner(w, h, enlarge)
	if o.W > 0 {
		w = o.W
	}
	if o.H > 0 {
		h = o.H
	}
	return w, h
}

func cropSize(o Op, w, h int, _ bool) (int, int) { return cut(w, o.W), cut(h, o.H) }

func rotateSize(o Op, w, h int, _ bool) (int, int) {
	if o.N != 180 {
		return h, w
	}
	return w, h
}

// scale returns n·to/from, rounded half up, from 1 to MaxSide.
func scale(n, to, from int) int {
	return int(min(max(1, (2*int64(n)*int64(to)+int64(from))/(2*int64(from))), MaxSide))
}

// cut returns the part of n that a side of limit pixels leaves; 0 leaves all.
func cut(n, limit int) int {
	if limit == 0 {
		return n
	}
	return min(n, limit)
}
