package source

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// parquetRows is how many rows are read at a time.
const parquetRows = 256

// eachOfParquet calls visit with each row of a Parquet file. Only columns of single values count, not lists and groups.
func eachOfParquet(f *os.File, column string, visit func(row) error) (err error) {
	var visitErr error
	defer func() {
		if r := recover(); r != nil { // the package panics where a file contradicts itself
			err = fmt.Errorf("the Parquet file is damaged: %v", r)
		}
		if visitErr != nil {
			err = visitErr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return fmt.Errorf("it cannot be read as Parquet: %w", err)
	}
	names := make([]string, len(file.Schema().Columns()))
	for i, path := range file.Schema().Columns() {
		if leaf, ok := file.Schema().Lookup(path...); ok && len(path) == 1 && !leaf.Node.Repeated() {
			names[i] = path[0]
		}
	}
	at := indexOfColumn(names, column)
	if at < 0 {
		return fmt.Errorf("the file has no column %q: name it with --url-column", column)
	}
	n := 0
	for _, group := range file.RowGroups() {
		err := eachOfRowGroup(group, func(values parquet.Row) error {
			n++
			r := row{number: n}
			for _, v := range values {
				switch i := v.Column(); {
				case v.IsNull() || i < 0 || i >= len(names):
				case i == at:
					r.url = v.String()
				default:
					r.addColumn(names[i], v.String())
				}
			}
			visitErr = visit(r)
			return visitErr
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func eachOfRowGroup(group parquet.RowGroup, visit func(parquet.Row) error) (err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	buf := make([]parquet.Row, parquetRows)
	for {
		n, err := rows.ReadRows(buf)
		for _, values := range buf[:n] {
			if err := visit(values); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the Parquet file is damaged: %w", err)
		}
		if n == 0 {
			return errors.New("the Parquet file is damaged: a row group ends early")
		}
	}
}
