package vp8

func square(pix []byte, at, stride, n int, m mode, edgeX, edgeY bool) {
	plainSquare(pix, at, stride, n, m, edgeX, edgeY)
}

func predict4(pix []byte, at, stride int, m mode) { plainPredict4(pix, at, stride, m) }

func simpleEdge(pix []byte, at, along, across, limit int) {
	plainSimpleEdge(pix, at, along, across, limit)
}

func normalEdge(pix []byte, at, n, along, across int, f *filter, inner bool) {
	plainNormalEdge(pix, at, n, along, across, f, inner)
}
