package reference

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"sync"

	"github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Assets reads watermarks once and keeps them. It is safe for use by several goroutines.
type Assets struct {
	dir    fs.FS
	limits engine.Limits
	mu     sync.Mutex
	loaded map[string]*image.NRGBA
}

// NewAssets returns the assets of a directory; nil: there are none. It reads nothing.
func NewAssets(dir fs.FS, limits engine.Limits) *Assets {
	return &Assets{dir: dir, limits: limits.WithDefaults()}
}

// LoadFor returns the watermarks of a variant by their names, nil if it has none.
func (a *Assets) LoadFor(v recipe.Variant) (map[string]*image.NRGBA, error) {
	var marks map[string]*image.NRGBA
	for _, o := range v.Ops {
		if o.Word != recipe.Watermark {
			continue
		}
		mark, err := a.Load(o.Asset)
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", v.Name, err)
		}
		if marks == nil {
			marks = make(map[string]*image.NRGBA)
		}
		marks[o.Asset] = mark
	}
	return marks, nil
}

// Load returns an asset. An error is never the image's fault: the recipe names a file that is missing or no image.
func (a *Assets) Load(name string) (*image.NRGBA, error) {
	if a.dir == nil {
		return nil, fmt.Errorf("asset %q: there is no directory of assets", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if img := a.loaded[name]; img != nil {
		return img, nil
	}
	data, err := fs.ReadFile(a.dir, name)
	if err != nil {
		return nil, fmt.Errorf("asset %q: %w", name, err)
	}
	img, err := decodeAsset(data, a.limits)
	if err != nil {
		// Not wrapped: the rejection is the asset's, not the image's.
		return nil, fmt.Errorf("asset %q: %s", name, err.Error())
	}
	if a.loaded == nil {
		a.loaded = map[string]*image.NRGBA{}
	}
	a.loaded[name] = img
	return img, nil
}

func decodeAsset(data []byte, limits engine.Limits) (*image.NRGBA, error) {
	info, err := limits.Check(data, 0, false)
	if err != nil {
		return nil, err
	}
	t := &transform{
		engine: &Engine{limits: limits, heavy: make(chan struct{}, 1)}, ctx: context.Background(), data: data, info: info,
	}
	var img *image.NRGBA
	err = t.decode(false, func(f frame) error {
		p := &canvas{img: f.img, orient: info.Orientation}
		img = p.settle()
		if img == f.img {
			img = imaging.Clone(img)
		}
		return nil
	})
	if err == nil && img == nil {
		err = errors.New("no picture")
	}
	return img, err
}
