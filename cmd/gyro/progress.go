package main

import (
	"context"
	"fmt"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// importProgress shows how far an import is, to a person at a terminal. Elsewhere it shows nothing.
type importProgress struct {
	bars    *mpb.Progress // nil: nobody watches
	sending *mpb.Bar
	spinner *mpb.Bar
}

// importProgress begins to show the import of the file name; size 0 means that its size is not known.
func (env *environment) importProgress(ctx context.Context, name string, size int64) *importProgress {
	if !isTerminal(env.stderr) {
		return &importProgress{}
	}
	p := &importProgress{bars: mpb.NewWithContext(ctx, mpb.WithOutput(env.stderr), mpb.WithWidth(60))}
	p.sending = p.bars.AddBar(size,
		mpb.PrependDecorators(decor.Name("sending "+printable(name)+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	return p
}

// reading returns file, with progress counting what is read of it.
func (p *importProgress) reading(file io.Reader) io.Reader {
	if p.bars == nil {
		return file
	}
	counted, err := p.sending.ProxyReader(file)
	if err != nil {
		return file // the bar ended early; the import goes on without
	}
	return counted
}

// storing says that the file is sent and checked, and its rows are being stored.
func (p *importProgress) storing(rows int) {
	if p.bars == nil || p.spinner != nil {
		return
	}
	p.sending.SetTotal(-1, true)
	p.spinner = p.bars.AddSpinner(0,
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("storing %d subscribers ", rows))),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))
}

// end takes what is still shown off the terminal.
func (p *importProgress) end() {
	if p.bars == nil {
		return
	}
	p.sending.Abort(false)
	if p.spinner != nil {
		p.spinner.Abort(false)
	}
	p.bars.Wait()
}
