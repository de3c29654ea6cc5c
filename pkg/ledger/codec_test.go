package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"reflect"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// testWords numbers words as a ledger does, but never runs out of room.
func testWords() (func(string) (uint64, bool), func(uint64) (string, bool)) {
	var texts []string
	number := func(s string) (uint64, bool) {
		for i, t := range texts {
			if s == t {
				return uint64(i) + 1, true
			}
		}
		texts = append(texts, s)
		return uint64(len(texts)), true
	}
	text := func(n uint64) (string, bool) {
		if n == 0 || n > uint64(len(texts)) {
			return "", false
		}
		return texts[n-1], true
	}
	return number, text
}

func noWords(string) (uint64, bool) { return 0, false }
func noTexts(uint64) (string, bool) { return "", false }
func seal(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, castagnoli))
}

func TestEntryIsTheSameAfterEncoding(t *testing.T) {
	full := rejectedEntry(7, "run", outcome.Crashed)
	full.Outputs, full.Stranger, full.Retries = testEntry(7).Outputs, true, 3
	full.Content = Content(bytes.Repeat([]byte{9}, 16))
	full.Known = &known.Facts{
		SHA256: append(bytes.Repeat([]byte{9}, 16), bytes.Repeat([]byte{8}, 16)...), Captured: "2024-05-17T12:30:45-03:30",
		Camera: "Ada EOS 1", Location: &known.Location{Latitude: -33.8598611, Longitude: 151.2125}, Color: "000000",
		ThumbHash: []byte{1, 2, 3, 4, 5},
	}
	full.Refused = []Refused{{"hero", outcome.TooManyPixels, "too wide"}, {"wide", outcome.PreviewTooSmall, ""}}
	full.Warnings = outcome.Warnings{"it ends at row 17", "it has a hole"}
	chosen := testEntry(5)
	chosen.Outputs = []Output{
		{Name: "a", Quality: 100}, {Name: "b", Sum: 7, Quality: 1, Earlier: true}, {Name: "c", Pruned: true}, {Name: "d"},
	}
	bare := Entry{ID: testID(8), Filename: "x", Outcome: outcome.Dead, Settled: time.UnixMicro(-1).UTC()}
	early := testEntry(2)
	early.Known = &known.Facts{Captured: "1931-01-02T03:04:05"}
	east, west := testEntry(3), testEntry(4)
	east.Known = &known.Facts{Captured: "9999-12-31T23:59:59+17:03"}
	west.Known = &known.Facts{Captured: "0000-01-01T00:00:00-17:03"}
	for _, e := range []Entry{testEntry(1), full, chosen, bare, early, east, west} {
		number, text := testWords()
		for name, b := range map[string][]byte{
			"with words": encode(nil, &e, number), "without": encode(nil, &e, noWords),
		} {
			got, err := decode(b, text)
			if err != nil || !reflect.DeepEqual(got, e) {
				t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, e)
			}
		}
	}
}

func TestUsualEntryIsSmall(t *testing.T) {
	number, _ := testWords()
	e := testEntry(1_234_567)
	if n := len(encode(nil, &e, number)); n > 200 {
		t.Errorf("a usual entry takes %d bytes", n)
	}
}

func TestWhatIsKnownOfAnImageTakesFewBytes(t *testing.T) {
	number, _ := testWords()
	e := testEntry(1)
	encode(nil, &e, number)
	bare := len(encode(nil, &e, number))
	e.Known = &known.Facts{Color: "c86432", ThumbHash: make([]byte, 24)}
	looks := len(encode(nil, &e, number)) - bare
	e.Known.Captured, e.Known.Camera = "2024-05-17T12:30:45+02:00", "Ada EOS 1"
	encode(nil, &e, number) // the camera is a word now
	camera := len(encode(nil, &e, number)) - bare
	e.Known.Location = &known.Location{Latitude: 1, Longitude: 2}
	all := len(encode(nil, &e, number)) - bare
	if looks > 32 || camera > 44 || all > 56 {
		t.Errorf("%d bytes for how it looks, %d with the camera and its time, %d with the place", looks, camera, all)
	}
}

// What was written once must be readable for ever.
func TestTheStoredFormOfAnEntryDoesNotChange(t *testing.T) {
	e := Entry{
		ID: taskid.ID{0: 0xA1, 15: 0xB2}, Filename: "a/b.jpg", Run: "r", Outcome: outcome.Rejected, Reason: outcome.Corrupt,
		Detail: "d", Outputs: []Output{{Name: "a/b_x.jpg", Size: 300, Width: 64, Height: 48}, {Name: "a/b_y.jpg", Size: 1}},
		Worker: "w", Deliveries: 2,
		Recipe: "x=gray", Input: Input{1000, "jpeg", 640, 480},
		Timings: Timings{1e3, 2e3, 3e3, 4e3, 5e3, 300e3}, Settled: time.UnixMicro(1_000_000).UTC(),
		Stranger: true, Retries: 1,
	}
	number, text := testWords()
	const want = "01a10000000000000000000000000000b20307612f622e6a70670401060208020b01640d0c03065f782e6a7067ac02403" +
		"00d0a0405792e6a70670100000e031002120414e80716051880051ae0031d070102030405ac021e80897a200122019fe45b66"
	if got := hex.EncodeToString(encode(nil, &e, number)); got != want {
		t.Errorf("stored as %s\nnot     as %s", got, want)
	}
	b, err := hex.DecodeString(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decode(b, text); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("read as %+v, %v", got, err)
	}
}

func TestFieldsOfLaterVersionsAreIgnored(t *testing.T) {
	e := testEntry(1)
	b := encode(nil, &e, noWords)
	b = b[:len(b)-4]
	b = append(binary.AppendUvarint(b, 900<<1|kindNumber), 0xFF, 0x01)      // a number
	b = append(binary.AppendUvarint(b, 901<<1|kindBytes), 3, 'n', 'e', 'w') // and bytes
	if got, err := decode(seal(b), noTexts); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEveryDamagedBitIsDetected(t *testing.T) {
	e := testEntry(1)
	number, text := testWords()
	b := encode(nil, &e, number)
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		if got, err := decode(b, text); err == nil || !reflect.DeepEqual(got, Entry{}) {
			t.Fatalf("bit %d: no error, or an entry with it", i)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if _, err := decode(b[:n], text); err == nil {
			t.Fatalf("cut to %d bytes: no error", n)
		}
	}
}

func TestMalformedEntriesAreRefused(t *testing.T) {
	head := append([]byte{entryForm}, make([]byte, taskid.Size)...)
	for what, fields := range map[string][]byte{
		"nothing":                 {},
		"a number for a name":     {fieldFilename<<1 | kindNumber, 5},
		"bytes for a number":      {fieldDeliveries<<1 | kindBytes, 1, 1},
		"an unknown outcome":      {fieldOutcome << 1, 9},
		"a missing word":          {fieldOutcome << 1, 1, fieldRun << 1, 77},
		"a field that is cut off": {fieldOutcome << 1, 1, fieldFilename<<1 | kindBytes, 9, 'x'},
		"a length beyond all":     {fieldFilename<<1 | kindBytes, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		"a shared name too long":  {fieldOutcome << 1, 1, fieldOutput<<1 | kindBytes, 5, 1, 0, 0, 0, 0},
		"half an output":          {fieldOutcome << 1, 1, fieldOutput<<1 | kindBytes, 2, 0, 0},
		"half the timings":        {fieldOutcome << 1, 1, fieldTimings<<1 | kindBytes, 2, 0, 0},
		"a count beyond all":      {fieldInputSize << 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
	} {
		if e, err := decode(seal(append(head[:len(head):len(head)], fields...)), noTexts); err == nil {
			t.Errorf("%s: read as %+v", what, e)
		}
	}
	if _, err := decode(seal(append([]byte{2}, head[1:]...)), noTexts); err == nil {
		t.Error("another form was read")
	}
}

// Whatever is read can be written and read again, to the same; nothing comes with an error.
func FuzzDecodeEntry(f *testing.F) {
	for _, e := range []Entry{testEntry(1), rejectedEntry(2, "run", outcome.Corrupt)} {
		b := encode(nil, &e, noWords)
		f.Add(b[:len(b)-4])
		number, _ := testWords()
		b = encode(nil, &e, number)
		f.Add(b[:len(b)-4])
	}
	f.Add([]byte{entryForm})
	texts := func(n uint64) (string, bool) { return "word", n == 1 }
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := decode(seal(body), texts)
		if err != nil {
			if !reflect.DeepEqual(e, Entry{}) {
				t.Errorf("an entry came with the error %v", err)
			}
			return
		}
		again, err := decode(encode(nil, &e, noWords), noTexts)
		if err != nil || !reflect.DeepEqual(again, withDetailCut(e)) {
			t.Errorf("%+v, %v\nwant %+v", again, err, e)
		}
	})
}

func withDetailCut(e Entry) Entry {
	e.Detail = outcome.Cut(e.Detail, MaxDetail)
	return e
}
