package cdr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// An s3 is a destination in a bucket. An object is there when it is whole; an upload that broke off leaves nothing that can be
// read.
type s3 struct {
	client         *minio.Client
	bucket, prefix string
}

// partSize is how much of an object is held in memory; ten thousand parts make 160 GB.
const partSize = 16 << 20

func openS3(_ context.Context, out string, access Access) (Destination, error) {
	where, err := url.Parse(out)
	if err != nil || where.Host == "" || where.User != nil || where.RawQuery != "" {
		return nil, fmt.Errorf("%q names no bucket: write s3://BUCKET/PREFIX", out)
	}
	endpoint := access.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		endpoint = "https://s3.amazonaws.com"
	}
	server, err := url.Parse(endpoint)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" {
		return nil, errors.New("AWS_ENDPOINT_URL is no URL: write https://HOST:PORT")
	}
	id, secret := access.Getenv("AWS_ACCESS_KEY_ID"), access.Getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed for s3")
	}
	client, err := minio.New(server.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(id, secret, access.Getenv("AWS_SESSION_TOKEN")),
		Secure: server.Scheme == "https", Region: access.Getenv("AWS_REGION"),
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	return &s3{client: client, bucket: where.Host, prefix: strings.Trim(where.Path, "/")}, nil
}

func (s *s3) Near() bool   { return false }
func (s *s3) Close() error { return nil }

func (s *s3) key(name string) string { return path.Join(s.prefix, name) }

// missing makes fs.ErrNotExist of an object that is not there.
func missing(err error) error {
	if err == nil {
		return nil
	}
	if answer := minio.ToErrorResponse(err); answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket {
		return fs.ErrNotExist
	}
	return fmt.Errorf("s3: %w", err)
}

func (s *s3) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	object, err := s.client.GetObject(ctx, s.bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, missing(err)
	}
	if _, err := object.Stat(); err != nil { // nothing was asked for until now
		return nil, errors.Join(missing(err), object.Close())
	}
	return object, nil
}

func (s *s3) Size(ctx context.Context, name string) (int64, error) {
	info, err := s.client.StatObject(ctx, s.bucket, s.key(name), minio.StatObjectOptions{})
	return info.Size, missing(err)
}

func (s *s3) Remove(ctx context.Context, name string) error {
	if err := missing(s.client.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{})); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Create uploads what is written in parts. What is written after the upload failed fails with it.
func (s *s3) Create(ctx context.Context, name string) (Upload, error) {
	reader, writer := io.Pipe()
	u := &s3Upload{PipeWriter: writer, done: make(chan error, 1)}
	go func() {
		_, err := s.client.PutObject(ctx, s.bucket, s.key(name), reader, -1, minio.PutObjectOptions{
			PartSize: partSize, ContentType: "application/octet-stream", SendContentMd5: true,
		})
		_ = reader.CloseWithError(err) // never fails
		u.done <- err
	}()
	return u, nil
}

type s3Upload struct {
	*io.PipeWriter
	done chan error
}

func (u *s3Upload) Commit() error {
	_ = u.Close() // never fails
	if err := <-u.done; err != nil {
		return fmt.Errorf("s3: %w", err)
	}
	return nil
}

var errAborted = errors.New("the upload was given up")

func (u *s3Upload) Abort() error {
	_ = u.CloseWithError(errAborted) // never fails
	if err := <-u.done; err != nil && !errors.Is(err, errAborted) {
		return fmt.Errorf("s3: %w", err)
	}
	return nil
}
