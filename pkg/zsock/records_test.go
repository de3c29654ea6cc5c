package zsock

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// recordOf returns a record with a body of n bytes.
func recordOf(n int) []byte {
	r := append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
	for i := range r[recordHeader:] {
		r[recordHeader+i] = byte(i * n)
	}
	return r
}

// scripted is a connection that is read in pieces of random sizes, and that counts writes.
type scripted struct {
	net.Conn
	in      io.Reader
	random  *rand.Rand
	whole   bool // reads return all that fits
	reads   []int
	written bytes.Buffer
	writes  int
	failAt  int // the write that fails; 0: none
}

func (s *scripted) Read(p []byte) (int, error) {
	if !s.whole {
		p = p[:1+s.random.IntN(len(p))]
	}
	n, err := s.in.Read(p)
	s.reads = append(s.reads, n)
	return n, err
}

func (s *scripted) Write(p []byte) (int, error) {
	if s.writes++; s.writes == s.failAt {
		return 0, errors.New("the network is down")
	}
	return s.written.Write(p)
}

func TestRecordsAreReadWholeHoweverTheyArrive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	for range 300 {
		stream = append(stream, recordOf([]int{0, 1, 17, 3000, 16401, 16401, 16401}[random.IntN(7)])...)
	}
	c := &recordConn{Conn: &scripted{in: bytes.NewReader(stream), random: random}}
	var got []byte
	p := make([]byte, 33<<10)
	for {
		n, err := c.Read(p[:1+random.IntN(len(p))])
		if got = append(got, p[:n]...); err != nil {
			break
		}
	}
	if !bytes.Equal(got, stream) {
		t.Fatal("the bytes differ")
	}
	if c.have != 0 || c.left != 0 || !c.heard.Load() {
		t.Errorf("after whole records it waits for %d bytes behind %d of a header", c.left, c.have)
	}

	// One call for two full records, for a large one, and for many small ones.
	for size, most := range map[int]int{fullRecord - recordHeader: 51, 10000: 101, 100: 2} {
		in := &scripted{in: bytes.NewReader(bytes.Repeat(recordOf(size), 100)), whole: true}
		c := &recordConn{Conn: in}
		for _, err := c.Read(p); err == nil; {
			_, err = c.Read(p)
		}
		if calls := len(in.reads) - 1; calls > most {
			t.Errorf("100 records of %d bytes take %d calls", size, calls)
		}
		for i, n := range in.reads[1:] {
			if size > largeRecord && n > 2*(size+recordHeader) {
				t.Errorf("call %d reads %d bytes", i+2, n)
			}
		}
	}
}

func TestRecordsOfAMessageAreWrittenTogether(t *testing.T) {
	for _, failAt := range []int{0, 1, 3, 6} {
		out := &scripted{failAt: failAt}
		c := &recordConn{Conn: out}
		var want []byte
		c.gather()
		taken, failed := 0, false
		for range 45 {
			r := recordOf(16401)
			want = append(want, r...)
			n, err := c.Write(r)
			if taken += n; err != nil {
				failed = true
				break
			}
		}
		lost, err := c.flush()
		switch {
		case failAt == 0 && (err != nil || lost != 0 || !bytes.Equal(out.written.Bytes(), want) || out.writes > 7):
			t.Errorf("%d writes, %d bytes of %d, %v", out.writes, out.written.Len(), len(want), err)
		case failAt > 0 && (err == nil || taken-lost != out.written.Len()):
			t.Errorf("write %d fails (%v): %d bytes are said to be written, %d are; %v", failAt, failed, taken-lost,
				out.written.Len(), err)
		}
		if c.out != nil || c.gathering {
			t.Error("it still gathers")
		}
		out.written.Reset()
		if _, err := c.Write([]byte("alert")); (failAt == 0) != (err == nil && out.written.String() == "alert") {
			t.Errorf("after flush %q is written, %v", out.written.String(), err)
		}
	}
}

func TestRecordBeforeALargeBodyIsFilledUp(t *testing.T) {
	g := gather{copyUpTo: gatherCopyWrapped}
	var want []byte
	for i, size := range []int{9, 200_000, 9, 70_000, 9, 100, 9, 60_000, 2, gatherCopyWrapped + 1} {
		p := bytes.Repeat([]byte{byte(i)}, size)
		want = append(want, p...)
		g.add(p)
	}
	g.closePiece()
	if got := bytes.Join(g.pieces, nil); !bytes.Equal(got, want) || g.total != int64(len(want)) {
		t.Fatalf("%d bytes of %d, or other ones", len(got), len(want))
	}
	records := 0
	for _, piece := range g.pieces {
		records += (len(piece) + recordPayload - 1) / recordPayload
	}
	full := (len(want) + recordPayload - 1) / recordPayload
	if records > full+2 { // each of three large bodies may end with a short one
		t.Errorf("%d records where %d full ones hold as much", records, full)
	}
}
