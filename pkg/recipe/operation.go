package recipe

import (
	"strings"
)

// Word names a pixel operation.
type Word string

// The pixel operations.
const (
	Fit        Word = "fit"        // largest size inside W×H, proportions kept
	Fill       Word = "fill"       // smallest size that covers W×H, the rest cut off
	Force      Word = "force"      // exactly W×H, proportions not kept
	Pad        Word = "pad"        // fit, then a border up to W×H
	Crop       Word = "crop"       // cut W×H out, without scaling
	Trim       Word = "trim"       // cut a border off whose colour differs by no more than N
	Rotate     Word = "rotate"     // clockwise by 90, 180 or 270 degrees
	Flip       Word = "flip"       // upside down
	Flop       Word = "flop"       // left to right
	Blur       Word = "blur"       // Gaussian, N is sigma in pixels
	Sharpen    Word = "sharpen"    // unsharp mask, N is sigma in pixels
	Brightness Word = "brightness" // N per cent, −100 black, 100 white
	Contrast   Word = "contrast"   // N per cent, −100 gray
	Saturation Word = "saturation" // N per cent, −100 gray
	Gamma      Word = "gamma"      // N above 1 lightens
	Gray       Word = "gray"
	Invert     Word = "invert"
	Watermark  Word = "watermark" // an asset laid over the picture
)

// operation is a row of the table of pixel operations.
type operation struct {
	word     Word
	args     []argument // in their order; canonical text has them all
	required int        // how many of args must be given
	defaults Op         // the fields of the arguments that are left out

	size   sizeRule // nil: the size stays as it is
	pixels bool     // the size depends on the pixels; size returns the largest that is possible
}

// operations is the table, in the order of the documents. A new operation is a row here, a step of the engine, a
// case of the conformance suite and a section of docs/RECIPES.md; tests miss each of them.
var operations = []operation{
	{word: Fit, args: []argument{geometryArg}, required: 1, size: fitSize},
	{word: Fill, args: []argument{geometryArg, gravityArg}, required: 1, defaults: Op{Gravity: Center}, size: fillSize},
	{word: Force, args: []argument{geometryArg}, required: 1, size: forceSize},
	{word: Pad, args: []argument{geometryArg, colorArg}, required: 1, size: padSize},
	{word: Crop, args: []argument{geometryArg, gravityArg}, required: 1, defaults: Op{Gravity: Center}, size: cropSize},
	{word: Trim, args: []argument{numberArg("THRESHOLD", 0, 255)}, defaults: Op{N: 10}, pixels: true},
	{word: Rotate, args: []argument{anglesArg}, required: 1, size: rotateSize},
	{word: Flip},
	{word: Flop},
	{word: Blur, args: []argument{numberArg("SIGMA", 0.1, 100)}, required: 1},
	{word: Sharpen, args: []argument{numberArg("SIGMA", 0.1, 100)}, required: 1},
	{word: Brightness, args: []argument{numberArg("NUMBER", -100, 100)}, required: 1},
	{word: Contrast, args: []argument{numberArg("NUMBER", -100, 100)}, required: 1},
	{word: Saturation, args: []argument{numberArg("NUMBER", -100, 500)}, required: 1},
	{word: Gamma, args: []argument{numberArg("NUMBER", 0.1, 10)}, required: 1},
	{word: Gray},
	{word: Invert},
	{
		word: Watermark, args: []argument{assetArg, markGravityArg, numberArg("OPACITY", 0, 1)}, required: 1,
		defaults: Op{Gravity: "se", N: 1},
	},
}

// operationOf returns the row of a word, or nil where the word is none.
func operationOf(w Word) *operation {
	for i := range operations {
		if operations[i].word == w {
			return &operations[i]
		}
	}
	return nil
}

// usage returns every way in which the operation can be written: "write fill:WxH or fill:WxH:GRAVITY".
func (o *operation) usage() string {
	var forms []string
	for n := o.required; n <= len(o.args); n++ {
		form := string(o.word)
		for _, a := range o.args[:n] {
			form += ":" + a.name
		}
		forms = append(forms, form)
	}
	last := len(forms) - 1
	if last == 0 {
		return "write " + forms[0]
	}
	return "write " + strings.Join(forms[:last], ", ") + " or " + forms[last]
}

// parse reads the arguments; whole is the operation with its word, args what follows the word.
func (o *operation) parse(whole word, args []word) (Op, error) {
	op := o.defaults
	op.Word = o.word
	if len(args) < o.required {
		return op, whole.fail(o.usage(), "%s needs a value", o.word)
	}
	if len(args) > len(o.args) {
		return op, args[len(o.args)].fail(o.usage()+"; a comma separates operations", "%s has too many values", o.word)
	}
	for i, a := range args {
		if err := o.args[i].parse(a, &op); err != nil {
			return op, err
		}
	}
	return op, nil
}

// String returns the canonical text of o.
func (o Op) String() string {
	s := string(o.Word)
	if row := operationOf(o.Word); row != nil {
		for _, a := range row.args {
			s += ":" + a.print(o)
		}
	}
	return s
}

// Usage is how a word of a recipe is written.
type Usage struct {
	Word    string
	Text    string // "write fit:WxH"
	Setting bool   // it holds for the whole variant, and is no pixel operation
}

// Usages returns every word that can begin an operation, in the order of the documents.
func Usages() []Usage {
	var list []Usage
	for i := range operations {
		list = append(list, Usage{Word: string(operations[i].word), Text: operations[i].usage()})
	}
	for i := range settings {
		list = append(list, Usage{Word: settings[i].word, Text: settings[i].usage(), Setting: true})
	}
	return list
}

// words lists every word that can begin an operation.
func words() []string {
	var list []string
	for _, u := range Usages() {
		list = append(list, u.Word)
	}
	return list
}
