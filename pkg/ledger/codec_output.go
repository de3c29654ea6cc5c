package ledger

import (
	"encoding/binary"
	"errors"
)

// This file stores an output of an entry; codec.go says in which form.

func appendOutput(b []byte, before string, o Output) []byte {
	same := 0
	for same < len(before) && same < len(o.Name) && before[same] == o.Name[same] {
		same++
	}
	b = binary.AppendUvarint(b, uint64(same))
	b = binary.AppendUvarint(b, uint64(len(o.Name)-same))
	b = append(b, o.Name[same:]...)
	b = binary.AppendUvarint(b, uint64(o.Size))
	b = binary.AppendUvarint(b, uint64(o.Width))
	b = binary.AppendUvarint(b, uint64(o.Height))
	flags := byte(0)
	if o.Earlier {
		flags |= flagEarlier
	}
	if o.Pruned {
		flags |= flagPruned
	}
	if o.Quality != 0 {
		flags |= flagQuality
	}
	if o.Sum == 0 && flags == 0 {
		return b
	}
	b = binary.LittleEndian.AppendUint32(b, o.Sum)
	if flags != 0 {
		b = append(b, flags)
	}
	if o.Quality != 0 {
		b = append(b, byte(o.Quality))
	}
	return b
}

// The flags of an output.
const (
	flagEarlier = 1 << iota
	flagPruned
	flagQuality // the quality follows
)

func (d *decoder) output(before string) Output {
	in := decoder{rest: d.bytes()}
	if d.err != nil {
		return Output{}
	}
	same := in.uvarint()
	if same > uint64(len(before)) {
		in.fail(errors.New("the name of an output shares more than there is"))
		same = 0
	}
	o := Output{Name: before[:same] + string(in.take(in.uvarint()))}
	o.Size, o.Width, o.Height = in.count(), int(in.count()), int(in.count())
	if len(in.rest) >= 4 { // entries of earlier versions end here
		o.Sum = binary.LittleEndian.Uint32(in.rest)
		if in.rest = in.rest[4:]; len(in.rest) > 0 {
			flags := in.rest[0]
			o.Earlier, o.Pruned = flags&flagEarlier != 0, flags&flagPruned != 0
			if flags&flagQuality != 0 && len(in.rest) > 1 {
				o.Quality = int(in.rest[1])
			}
		}
	}
	if in.err != nil {
		d.fail(in.err)
	}
	return o
}

func (d *decoder) column(e *Entry) {
	in := decoder{rest: d.bytes()}
	name := string(in.take(in.uvarint()))
	if in.err != nil {
		d.fail(in.err)
	}
	if e.Columns == nil {
		e.Columns = make(map[string]string)
	}
	e.Columns[name] = string(in.rest)
}
