package png

// plainFilterRow filters a row with Sub, Up, Average and Paeth from an offset on, and adds to the sums of the
// absolute differences, of the row itself first. row and above have front bytes in front, which are zeros; the
// outputs have none.
func plainFilterRow(sums *[5]uint64, out [4][]byte, row, above []byte, front, pixel, from int) {
	sub, up, average, nearest := out[0], out[1], out[2], out[3]
	x, b := row[front:], above[front:]
	a, c := row[front-pixel:], above[front-pixel:]
	for i := from; i < len(x); i++ {
		v, left, over, corner := int(x[i]), int(a[i]), int(b[i]), int(c[i])
		sub[i] = byte(v - left)
		up[i] = byte(v - over)
		average[i] = byte(v - (left+over)/2)
		nearest[i] = byte(v) - paeth(left, over, corner)
		for k, d := range [5]byte{byte(v), sub[i], up[i], average[i], nearest[i]} {
			sums[k] += uint64(abs(int(int8(d))))
		}
	}
}
