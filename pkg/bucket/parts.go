package bucket

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

// Limits of an upload in parts.
const (
	maxParts    = 10_000 // that S3 takes
	partsAtOnce = 2
)

// putParts uploads an object in parts, under the conditions of o. minio-go would name them at the beginning of the
// upload, too, where S3 knows none, and not only at its end.
func (c *Client) putParts(
	ctx context.Context, key string, data io.ReaderAt, size int64, o minio.PutObjectOptions,
) error {
	id, err := c.core.NewMultipartUpload(ctx, c.at.Bucket, key, minio.PutObjectOptions{
		ContentType: o.ContentType, CacheControl: o.CacheControl, StorageClass: o.StorageClass,
	})
	if err != nil {
		return err
	}
	each := max(partSize, (size+maxParts-1)/maxParts)
	parts := make([]minio.CompletePart, (size+each-1)/each)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range parts {
		group.Go(func() error {
			at := int64(i) * each
			part := io.NewSectionReader(data, at, min(each, size-at))
			is, err := c.core.PutObjectPart(gctx, c.at.Bucket, key, id, i+1, part, part.Size(), minio.PutObjectPartOptions{})
			parts[i] = minio.CompletePart{PartNumber: i + 1, ETag: is.ETag}
			return err
		})
	}
	if err = group.Wait(); err == nil {
		_, err = c.core.CompleteMultipartUpload(ctx, c.at.Bucket, key, id, parts, o)
	}
	if err != nil && ctx.Err() == nil { // else the bucket's lifecycle rule removes them
		_ = c.core.AbortMultipartUpload(ctx, c.at.Bucket, key, id) // what failed matters more
	}
	return err
}
