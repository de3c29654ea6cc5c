package report

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// parquetRow is a line of WriteParquet: an image with one of its outputs, or one of its variants that was not made, or
// with neither.
type parquetRow struct {
	Filename     string    `parquet:"filename,zstd"`
	Source       string    `parquet:"source,dict,zstd"`
	Outcome      string    `parquet:"outcome,dict,zstd"`
	Reason       string    `parquet:"reason,dict,zstd"`
	Detail       string    `parquet:"detail,zstd"`
	Bytes        int64     `parquet:"bytes"`
	Output       string    `parquet:"output,zstd"` // empty where there is none
	OutputBytes  int64     `parquet:"output_bytes"`
	Width        int32     `parquet:"width"` // of the output, pixels
	Height       int32     `parquet:"height"`
	CRC32C       uint32    `parquet:"crc32c"`
	Quality      *int32    `parquet:"quality,optional"`  // that quality:auto or max-bytes chose
	Refused      string    `parquet:"refused,dict,zstd"` // the variant that was not made; reason and detail are its own
	Run          string    `parquet:"run,dict,zstd"`
	Worker       string    `parquet:"worker,dict,zstd"`
	Delivery     int32     `parquet:"delivery"`
	Microseconds int64     `parquet:"total_us"` // of the image's transform, all variants together
	At           time.Time `parquet:"at,timestamp(microsecond)"`
	Dropped      []string  `parquet:"dropped,list"`
	Warnings     []string  `parquet:"warnings,list"`
	SHA256       []byte    `parquet:"sha256"`
	Captured     string    `parquet:"captured,zstd"`
	Camera       string    `parquet:"camera,dict,zstd"`
	Latitude     *float64  `parquet:"latitude,optional"`
	Longitude    *float64  `parquet:"longitude,optional"`
	Color        string    `parquet:"color"`
	ThumbHash    []byte    `parquet:"thumbhash"`
}

// parquetGroup is how many rows are written at a time: as many are in memory.
const parquetGroup = 50_000

// WriteParquet writes a row for each image and variant that WriteCSV would write a line of.
func WriteParquet(ctx context.Context, w io.Writer, b wire.LedgerReader, id string) error {
	_, args, err := begin(ctx, b, id)
	if err != nil {
		return err
	}
	out := parquet.NewGenericWriter[parquetRow](w, parquet.MaxRowsPerRowGroup(parquetGroup))
	err = EachEntry(ctx, b, args, func(e *wire.Receipt) error {
		if superseded(e) {
			return nil
		}
		_, err := out.Write(parquetRows(e))
		return err
	})
	return errors.Join(err, out.Close())
}

func parquetRows(e *wire.Receipt) (rows []parquetRow) {
	image := parquetRow{
		Filename: e.Filename, Source: e.Source, Outcome: string(e.Outcome), Reason: string(e.Reason), Detail: e.Detail,
		Bytes: e.Bytes, Run: e.Run, Worker: e.Worker, Delivery: int32(e.Delivery), Microseconds: e.Timings.Total,
		At: e.At.UTC(), Dropped: e.Dropped, Warnings: e.Warnings,
	}
	if f := e.Known; f != nil {
		image.SHA256, image.Captured, image.Camera, image.Color = f.SHA256, f.Captured, f.Camera, f.Color
		image.ThumbHash = f.ThumbHash
		if f.Location != nil {
			image.Latitude, image.Longitude = &f.Location.Latitude, &f.Location.Longitude
		}
	}
	for _, o := range e.Outputs {
		if o.Superseded {
			continue
		}
		row := image
		row.Output, row.OutputBytes, row.CRC32C = o.Name, o.Size, o.Sum
		row.Width, row.Height = int32(o.Width), int32(o.Height)
		if o.Quality != 0 {
			chosen := int32(o.Quality)
			row.Quality = &chosen
		}
		rows = append(rows, row)
	}
	for _, v := range e.Refused {
		row := image
		row.Refused, row.Reason, row.Detail = v.Variant, string(v.Reason), v.Detail
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = append(rows, image)
	}
	return rows
}
