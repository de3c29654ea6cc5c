package recipe

// Size returns the size that an image of w×h pixels has after o. Engines compute every target with it, from the
// original size, so that all of them agree to the pixel. w and h are at least 1, and so are the results.
func (o Op) Size(w, h int, enlarge bool) (int, int) {
	switch o.Word {
	case Fit:
		return o.fit(w, h, enlarge)
	case Fill:
		sw, sh := o.Cover(w, h, enlarge)
		return cut(sw, o.W), cut(sh, o.H)
	case Force:
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
	case Pad:
		tw, th := o.fit(w, h, enlarge)
		if o.W > 0 {
			tw = o.W
		}
		if o.H > 0 {
			th = o.H
		}
		return tw, th
	case Crop:
		return cut(w, o.W), cut(h, o.H)
	case Rotate:
		if o.N != 180 {
			return h, w
		}
	}
	return w, h
}

// Inner returns the size of the picture inside the border that a pad puts around it.
func (o Op) Inner(w, h int, enlarge bool) (int, int) { return o.fit(w, h, enlarge) }

// Cover returns the size to which a fill scales before it cuts.
func (o Op) Cover(w, h int, enlarge bool) (int, int) {
	if o.W == 0 || o.H == 0 {
		return o.fit(w, h, enlarge)
	}
	if !enlarge && (o.W >= w || o.H >= h) {
		return w, h
	}
	if int64(o.W)*int64(h) >= int64(o.H)*int64(w) {
		return o.W, max(o.H, scale(h, o.W, w))
	}
	return max(o.W, scale(w, o.H, h)), o.H
}

// Size returns the size of the output that v makes of an image of w×h pixels, w and h being as displayed where v
// applies the orientation, and as stored where not.
func (v Variant) Size(w, h int) (int, int) {
	for _, o := range v.Ops {
		w, h = o.Size(w, h, v.Enlarge)
	}
	return w, h
}

// fit returns the largest size inside o's box with the proportions of w×h.
func (o Op) fit(w, h int, enlarge bool) (int, int) {
	if !enlarge && (o.W == 0 || w <= o.W) && (o.H == 0 || h <= o.H) {
		return w, h
	}
	if o.H == 0 || o.W > 0 && int64(o.W)*int64(h) <= int64(o.H)*int64(w) {
		return o.W, scale(h, o.W, w)
	}
	return scale(w, o.H, h), o.H
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
