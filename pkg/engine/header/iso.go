package header

import (
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
)

// readISO reads the item boxes of a HEIC or AVIF file, as far as a picture needs them. The orientation is the
// container's: an EXIF orientation says nothing in either format. The coding decides which of the two formats it is.
func (i *Info) readISO(data []byte, page int) error {
	file, err := heif.Parse(data)
	if err != nil {
		return err
	}
	i.Pages = file.Pages()
	if page >= i.Pages {
		return noSuchPage(page, i.Pages)
	}
	file.Select(page)
	img, err := file.Image()
	if err != nil {
		return err
	}
	i.Format, i.Width, i.Height, i.Orientation = img.Format, img.Width, img.Height, img.Orientation
	i.Gray, i.Alpha, i.Truncated = img.Gray, img.Alpha, img.Truncated
	i.ICC, i.EXIF, i.XMP, i.beside = img.ICC, img.EXIF, img.XMP, img.Beside
	i.Video = isMotionPhoto(i.XMP)
	return nil
}
