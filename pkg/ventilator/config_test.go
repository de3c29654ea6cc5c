package ventilator

import "testing"

func TestReadersByDefault(t *testing.T) {
	for _, c := range []struct {
		inputs  []string
		readers int
		want    int
	}{
		{[]string{"/photos"}, 0, fileReaders},
		{[]string{"-"}, 0, fileReaders},
		{[]string{"https://photos.example/a.jpg"}, 0, fileReaders},
		{[]string{"/photos", "s3://photos/2024"}, 0, bucketReaders},
		{[]string{"s3://photos"}, 2, 2},
	} {
		cfg := Config{Inputs: c.inputs, Readers: c.readers}.withDefaults()
		if cfg.Readers != c.want {
			t.Errorf("%d readers of %q, %d configured: want %d", cfg.Readers, c.inputs, c.readers, c.want)
		}
	}
}
