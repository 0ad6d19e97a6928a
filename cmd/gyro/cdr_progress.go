package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/gyro-ocs/gyro/ocs/cdr"
)

// monthProgress shows how far the work on a month is, to a person at a terminal. Elsewhere it shows nothing.
type monthProgress struct {
	bars    *mpb.Progress // nil: nobody watches
	name    string
	closing *mpb.Bar
	writing *mpb.Bar
}

func (env *environment) monthProgress(ctx context.Context, name string) *monthProgress {
	if !isTerminal(env.stderr) {
		return &monthProgress{}
	}
	return &monthProgress{bars: mpb.NewWithContext(ctx, mpb.WithOutput(env.stderr), mpb.WithWidth(60)), name: name}
}

func (p *monthProgress) bar(what string, total int64) *mpb.Bar {
	return p.bars.AddBar(total,
		mpb.PrependDecorators(decor.Name(what+" "+printable(p.name)+" ")),
		mpb.AppendDecorators(
			decor.CountersNoUnit("%d / %d "),
			decor.AverageSpeed(0, "%.0f/s "),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_MMSS), "done"),
		))
}

// Closing tells how many records have numbers. Those that are made of two postings count once, so the total is a guess.
func (p *monthProgress) Closing(at cdr.Progress) {
	if p.bars == nil || at.Total == 0 {
		return
	}
	if p.closing == nil {
		p.closing = p.bar("closing", at.Total)
	}
	p.closing.SetCurrent(min(at.Done, at.Total-1))
}

// Writing tells how many records were written.
func (p *monthProgress) Writing(at cdr.Progress) {
	if p.bars == nil || at.Total == 0 {
		return
	}
	if p.closing != nil {
		p.closing.SetTotal(-1, true)
	}
	if p.writing == nil {
		p.writing = p.bar("writing", at.Total)
	}
	p.writing.SetCurrent(at.Done)
}

// end takes what is still shown off the terminal.
func (p *monthProgress) end() {
	if p.bars == nil {
		return
	}
	for _, bar := range []*mpb.Bar{p.closing, p.writing} {
		if bar != nil {
			bar.Abort(false)
		}
	}
	p.bars.Wait()
}

// manifestsOf returns the names of the manifests to verify: those given, else all of a directory.
func manifestsOf(args []string) ([]string, error) {
	if len(args) > 1 {
		return args[1:], nil
	}
	if strings.Contains(args[0], "://") {
		return nil, usagef("name the manifests of %s that are to be verified, for example cdr-2026-10.csv.manifest.json", args[0])
	}
	found, err := filepath.Glob(filepath.Join(args[0], "*.manifest.json"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if _, err := os.Stat(args[0]); errors.Is(err, os.ErrNotExist) {
			return nil, failf(exitNotFound, "there is no directory %s", args[0])
		}
		return nil, failf(exitNotFound, "there is no manifest in %s", args[0])
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	slices.Sort(found)
	return found, nil
}
