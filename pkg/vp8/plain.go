package vp8

func square(pix []byte, at, stride, n int, m mode, edgeX, edgeY bool) {
	plainSquare(pix, at, stride, n, m, edgeX, edgeY)
}

func predict4(pix []byte, at, stride int, m mode) { plainPredict4(pix, at, stride, m) }
