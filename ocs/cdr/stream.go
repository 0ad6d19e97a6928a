package cdr

import (
	"context"
	"hash"
	"io"
	"iter"
)

// A hashWriter counts and hashes what goes through it.
type hashWriter struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
}

func (h *hashWriter) Write(b []byte) (int, error) {
	n, err := h.w.Write(b)
	h.bytes += int64(n)
	_, _ = h.hash.Write(b[:n]) // never fails
	return n, err
}

type rowSequence = iter.Seq2[*Row, error]

// batchSize is how many rows go from the reader to the writer at once.
const batchSize = 256

// ahead reads rows in a goroutine of its own, a few batches ahead of who writes them: two processors are better than one.
// What is ahead is bounded, and the reader ends with the loop.
func ahead(ctx context.Context, open func(context.Context) rowSequence) rowSequence {
	type batch struct {
		rows []*Row
		err  error
	}
	return func(yield func(*Row, error) bool) {
		whole := ctx
		ctx, cancel := context.WithCancel(ctx)
		batches := make(chan batch, 4)
		ended := make(chan struct{})
		defer func() {
			cancel()
			<-ended
		}()
		go func() {
			defer close(ended)
			defer close(batches)
			var b batch
			send := func() bool {
				select {
				case batches <- b:
					b = batch{}
					return true
				case <-ctx.Done():
					return false
				}
			}
			for row, err := range open(ctx) {
				if err != nil {
					b.err = err
					break
				}
				if b.rows == nil {
					b.rows = make([]*Row, 0, batchSize)
				}
				if b.rows = append(b.rows, row); len(b.rows) == batchSize && !send() {
					return
				}
			}
			_ = send()
		}()
		for b := range batches {
			for _, row := range b.rows {
				if !yield(row, nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
		}
		if err := whole.Err(); err != nil {
			yield(nil, err) // what came is not all
		}
	}
}
