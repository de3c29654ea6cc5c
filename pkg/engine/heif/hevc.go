package heif

import "github.com/imagefarm/imagefarm/pkg/hevc"

// readHEVC reads colours from the configuration that an HEVC picture has.
func (c *color) readHEVC(config []byte) {
	if len(config) < 23 {
		return
	}
	c.gray = config[16]&3 == 0
	s := hevc.ReadSignal(config)
	c.primaries, c.transfer, c.matrix, c.full = s.Primaries, s.Transfer, s.Matrix, s.Full
}
