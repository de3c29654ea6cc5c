package jpegenc

// codebook is a Huffman code as a DHT segment tells it (spec) and as a writer needs it.
type codebook struct {
	spec []byte
	code [256]uint16
	size [256]uint8
}

func used(counts *[257]int) bool {
	for _, n := range counts {
		if n > 0 {
			return true
		}
	}
	return false
}

// build makes the best code for the counts with no word over 16 bits (ITU-T T.81, K.2).
func build(counts [257]int) codebook {
	counts[256] = 1 // keeps the word of all ones free
	var size, next [257]int
	for i := range next {
		next[i] = -1
	}
	for {
		a, b := -1, -1
		for i, n := range counts {
			if n == 0 {
				continue
			}
			switch {
			case a < 0 || n <= counts[a]:
				a, b = i, a
			case b < 0 || n <= counts[b]:
				b = i
			}
		}
		if b < 0 {
			break
		}
		counts[a] += counts[b]
		counts[b] = 0
		for size[a]++; next[a] >= 0; size[a]++ {
			a = next[a]
		}
		next[a] = b
		for size[b]++; next[b] >= 0; size[b]++ {
			b = next[b]
		}
	}
	var lengths [64]int
	for _, n := range size {
		lengths[n]++
	}
	lengths[0] = 0
	for i := len(lengths) - 1; i > 16; i-- {
		for lengths[i] > 0 {
			j := i - 2
			for lengths[j] == 0 {
				j--
			}
			lengths[i] -= 2
			lengths[i-1]++
			lengths[j+1] += 2
			lengths[j]--
		}
	}
	last := 16
	for lengths[last] == 0 {
		last--
	}
	lengths[last]--

	var c codebook
	for i := 1; i <= 16; i++ {
		c.spec = append(c.spec, byte(lengths[i]))
	}
	// The shortest words go to the symbols that the tree gave the shortest.
	var order []int
	for n := 1; n < len(lengths); n++ {
		for v := range 256 {
			if size[v] == n {
				order = append(order, v)
				c.spec = append(c.spec, byte(v))
			}
		}
	}
	word, k := 0, 0
	for n := 1; n <= 16; n++ {
		for range lengths[n] {
			c.code[order[k]], c.size[order[k]] = uint16(word), uint8(n)
			word++
			k++
		}
		word <<= 1
	}
	return c
}
