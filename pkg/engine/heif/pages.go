package heif

// Pages returns how many pictures the file has that can be shown by themselves: not tiles, thumbnails, planes of
// opacity or depth. It is 1 at least.
func (f *File) Pages() int { return len(f.pictures()) }

// Select makes a picture the one that Image and Planes are about: 0 for the primary one, then the others in the order
// of their numbers. page is less than Pages.
func (f *File) Select(page int) { f.shown = f.pictures()[page] }

func (f *File) pictures() []*item {
	parts := make(map[int]bool)
	for _, it := range f.items {
		for _, id := range it.refs["dimg"] {
			parts[id] = true
		}
	}
	list := []*item{f.primary}
	for _, it := range f.inOrder() {
		switch it.kind {
		case "hvc1", "av01", "grid", "iden", "iovl":
			if it != f.primary && !it.hidden && !parts[it.id] && it.refs["thmb"] == nil && it.refs["auxl"] == nil {
				list = append(list, it)
			}
		}
	}
	return list
}
