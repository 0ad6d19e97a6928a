package cdr

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Book is what billing gets, as it stands in the database.
type Book struct {
	Store *postgres.Store
	Now   func() time.Time
	Zone  *time.Location // whose months

	runSize int // records of a run at most; 0: mostOfRun
}

// Grace is how long after its end a month is closed at the earliest: a call that runs on is told of in the old month when
// it next reports, and servers do not agree on the time to the second.
const Grace = time.Hour

// DefaultPerFile is how many records a file has, about.
const DefaultPerFile = 250_000

// mostOfRun is how many records a run has at most: what is held in memory, and lost work when a closing is killed.
const mostOfRun = 20_000

// mostLate is how many corrections a run has at most; their keys are kept with it.
const mostLate = 1000

// Errors of a month that cannot be closed now.
var (
	ErrNotOver  = errors.New("the month is not over")
	ErrSkipped  = errors.New("an earlier month is not closed")
	ErrPassed   = errors.New("a later month was closed already")
	ErrNotThere = errors.New("the month was not closed")
	ErrGone     = errors.New("the records of the month are gone")
	ErrChanged  = errors.New("the month is not what was closed")
	ErrNotReady = errors.New("the month may not go yet")
)

// Progress tells how far a closing or an export is.
type Progress struct {
	Done, Total int64 // records; Total 0: not known yet
}

// Close gives every record of the month a number, once. Called again it returns the same month.
func (b *Book) Close(ctx context.Context, month Month, perFile int, tell func(Progress)) (postgres.ExportMonth, error) {
	for {
		sealed, err := b.close(ctx, month, perFile, tell)
		if errors.Is(err, postgres.ErrExportMoved) {
			continue // somebody else was faster with a run
		}
		return sealed, err
	}
}

func (b *Book) close(ctx context.Context, month Month, perFile int, tell func(Progress)) (postgres.ExportMonth, error) {
	months, err := b.Store.ExportMonths(ctx)
	if err != nil {
		return postgres.ExportMonth{}, err
	}
	begun, there := find(months, month.Name)
	if there && !begun.SealedAt.IsZero() {
		return begun, nil
	}
	if !there {
		begun = postgres.ExportMonth{
			Month: month.Name, From: month.From, To: month.To, Zone: month.Zone.String(), PerFile: perFile, BegunAt: b.Now(),
		}
		if err := b.mayClose(ctx, month, months); err != nil {
			return begun, err
		}
		if err := b.Store.BeginExportMonth(ctx, begun); err != nil {
			return begun, err
		}
		return begun, postgres.ErrExportMoved // read it again: somebody else may have begun it otherwise
	}
	c, err := b.closing(ctx, begun, tell)
	if err != nil {
		return begun, err
	}
	if err := c.run(ctx, months); err != nil {
		return begun, err
	}
	if err := b.Store.SealExportMonth(ctx, month.Name, c.runs, b.Now()); err != nil {
		return begun, err
	}
	return begun, postgres.ErrExportMoved
}

func find(months []postgres.ExportMonth, name string) (postgres.ExportMonth, bool) {
	for _, m := range months {
		if m.Month == name {
			return m, true
		}
	}
	return postgres.ExportMonth{}, false
}

// mayClose refuses a month whose turn it is not. Months are closed in order, so that no record is passed over.
func (b *Book) mayClose(ctx context.Context, month Month, months []postgres.ExportMonth) error {
	if now := b.Now(); now.Before(month.To.Add(Grace)) {
		return fmt.Errorf("%s: %w: it can be closed from %s on", month.Name, ErrNotOver, month.To.Add(Grace).In(month.Zone).Format(time.RFC3339))
	}
	if len(months) == 0 {
		oldest, err := b.Store.OldestExport(ctx)
		if err != nil {
			return err
		}
		if !oldest.IsZero() && oldest.Before(month.From) {
			return fmt.Errorf("%s: %w: %s has records, begin with that", month.Name, ErrSkipped, MonthOf(oldest, month.Zone).Name)
		}
		return nil
	}
	last := months[len(months)-1]
	switch {
	case last.SealedAt.IsZero():
		return fmt.Errorf("%s: %w: %s was begun and not finished", month.Name, ErrSkipped, last.Month)
	case month.From.Before(last.To):
		return fmt.Errorf("%s: %w: %s", month.Name, ErrPassed, last.Month)
	case month.From.After(last.To):
		return fmt.Errorf("%s: %w: the next one is %s", month.Name, ErrSkipped, MonthOf(last.To, month.Zone).Name)
	}
	return nil
}

// A closing numbers the records of one month, run by run.
type closing struct {
	book  *Book
	month postgres.ExportMonth
	tell  func(Progress)
	print printer

	runs   int
	next   int64 // number of the next record
	file   int64
	inFile int
	last   *postgres.ExportRun // of this month, that is there already
	done   Progress

	run1 pendingRun
}

// pendingRun is what is gathered of the next run.
type pendingRun struct {
	prints      prints
	rows        int
	first, last postgres.ExportKey
	subscribers []ocs.SubscriberID
	references  []string
	keys        []postgres.ExportKey // of corrections
}

// told is what a run keeps of a posted record because it may change elsewhere.
type told struct {
	MSISDN string `json:"m,omitempty"`
	Other  string `json:"o,omitempty"`
}

// toldRun is the document of a run.
type toldRun struct {
	Posted []told               `json:"posted,omitempty"`
	Keys   []postgres.ExportKey `json:"keys,omitempty"`
}

func (b *Book) closing(ctx context.Context, month postgres.ExportMonth, tell func(Progress)) (*closing, error) {
	c := &closing{book: b, month: month, tell: tell, next: 1}
	last, there, err := b.Store.LastExportRun(ctx)
	if err != nil {
		return nil, err
	}
	if there {
		c.next, c.file = last.First+int64(last.Records), last.File
	}
	runs, err := b.Store.ExportRuns(ctx, month.Month)
	if err != nil {
		return nil, err
	}
	c.runs = len(runs)
	if len(runs) == 0 {
		c.file++
		return c, nil
	}
	c.last = &runs[len(runs)-1]
	for _, r := range runs {
		c.done.Done += int64(r.Records)
		if r.File == c.file {
			c.inFile += r.Records
		}
	}
	return c, nil
}

// A pass is one period of one source. The passes of a month are always gone through in the same order.
type pass struct {
	source   postgres.ExportSource
	from, to time.Time
	late     bool
}

// passes returns the month itself, and then every earlier one for what has come since: the corrections.
func passes(month postgres.ExportMonth, months []postgres.ExportMonth) []pass {
	all := []pass{
		{postgres.FromCDRs, month.From, month.To, false},
		{postgres.FromPostings, month.From, month.To, false},
	}
	earlier := func(from, to time.Time) {
		all = append(all, pass{postgres.FromCDRs, from, to, true}, pass{postgres.FromPostings, from, to, true})
	}
	if len(months) > 0 && months[0].From.Before(month.From) {
		earlier(time.Unix(0, 0).UTC(), months[0].From) // before the first month there was nothing when it was closed
	}
	for _, m := range months {
		if m.To.After(month.From) || !m.DroppedAt.IsZero() || !m.AnonymisedAt.IsZero() {
			continue
		}
		earlier(m.From, m.To)
	}
	return all
}

func (c *closing) run(ctx context.Context, months []postgres.ExportMonth) error {
	all := passes(c.month, months)
	at := 0
	if c.last != nil {
		for i, p := range all {
			if p.source == c.last.Source && p.from.Equal(c.last.From) && p.late == c.last.Late {
				at = i
			}
		}
	}
	for _, source := range []postgres.ExportSource{postgres.FromCDRs, postgres.FromPostings} {
		n, err := c.book.Store.CountExport(ctx, source, c.month.From, c.month.To)
		if err != nil {
			return err
		}
		c.done.Total += n
	}
	for i, p := range all[at:] {
		var after *postgres.ExportKey
		if i == 0 && c.last != nil {
			after = &c.last.LastKey
		}
		if err := c.pass(ctx, p, after); err != nil {
			return err
		}
	}
	return nil
}

func (c *closing) pass(ctx context.Context, p pass, after *postgres.ExportKey) error {
	span := postgres.ExportSpan{From: p.from, To: p.to, After: after}
	isNew := func(postgres.ExportKey, print) (bool, error) { return true, nil }
	if p.late {
		since, err := c.since(ctx, p)
		if err != nil || since == nil {
			return err
		}
		span.After = nil // the numbered ones are compared from the start
		isNew = since.isNew
		if err := c.records(ctx, p, span, isNew); err != nil {
			return err
		}
		return since.complete()
	}
	return c.records(ctx, p, span, isNew)
}

func (c *closing) records(ctx context.Context, p pass, span postgres.ExportSpan, isNew func(postgres.ExportKey, print) (bool, error)) error {
	var err error
	if p.source == postgres.FromCDRs {
		err = c.cdrs(ctx, p, span, isNew)
	} else {
		err = c.postings(ctx, p, span, isNew)
	}
	if err != nil {
		return err
	}
	return c.flush(ctx, p)
}

func (c *closing) cdrs(ctx context.Context, p pass, span postgres.ExportSpan, isNew func(postgres.ExportKey, print) (bool, error)) error {
	for key, err := range c.book.Store.ScanRecordKeys(ctx, span) {
		if err != nil {
			return err
		}
		one := c.print.of(key, "")
		if ok, err := isNew(key, one); err != nil {
			return err
		} else if !ok {
			continue
		}
		if err := c.room(ctx, p, 1); err != nil {
			return err
		}
		c.run1.add(key, key, one, p.late)
		c.run1.rows++
	}
	return nil
}

func (c *closing) postings(ctx context.Context, p pass, span postgres.ExportSpan, isNew func(postgres.ExportKey, print) (bool, error)) error {
	for group, err := range groups(c.book.Store.ScanPostings(ctx, span)) {
		if err != nil {
			return err
		}
		fresh := false
		marks := make([]print, len(group))
		for i, r := range group {
			marks[i] = c.print.of(r.key, r.kind)
			ok, err := isNew(r.key, marks[i])
			if err != nil {
				return err
			}
			fresh = fresh || ok
		}
		if !fresh {
			continue
		}
		if err := c.room(ctx, p, len(group)); err != nil {
			return err
		}
		last := group[0].key
		last.Number = group[0].lastLeg
		for i, r := range group {
			c.run1.add(group[0].key, last, marks[i], p.late && i == 0)
			c.run1.subscribers = append(c.run1.subscribers, r.subscriber)
			c.run1.references = append(c.run1.references, reference(r.movement))
		}
		c.run1.rows += group[0].legs
	}
	return nil
}

func (r *pendingRun) add(first, last postgres.ExportKey, one print, keep bool) {
	if len(r.prints) == 0 {
		r.first = first
	}
	r.last = last
	r.prints = r.prints.with(one)
	if keep {
		r.keys = append(r.keys, first)
	}
}

// room writes the run that was gathered when it has no room for n more records.
func (c *closing) room(ctx context.Context, p pass, n int) error {
	most := min(cmp.Or(c.book.runSize, mostOfRun), c.month.PerFile)
	if p.late {
		most = min(mostLate, most)
	}
	if have := c.run1.prints.len(); have == 0 || have+n <= most {
		return nil
	}
	return c.flush(ctx, p)
}

// flush numbers what was gathered.
func (c *closing) flush(ctx context.Context, p pass) error {
	gathered := c.run1
	c.run1 = pendingRun{}
	n := gathered.prints.len()
	if n == 0 {
		return nil
	}
	if c.inFile > 0 && c.inFile+n > c.month.PerFile {
		c.file, c.inFile = c.file+1, 0
	}
	run := postgres.ExportRun{
		Month: c.month.Month, Run: c.runs, File: c.file, Source: p.source, From: p.from, To: p.to, First: c.next, Records: n,
		Rows: gathered.rows, FirstKey: gathered.first, LastKey: gathered.last, Late: p.late, Prints: gathered.prints,
	}
	document := toldRun{Keys: gathered.keys}
	if p.source == postgres.FromPostings {
		var err error
		if document.Posted, err = c.whoIsTold(ctx, gathered); err != nil {
			return err
		}
	}
	if len(document.Posted)+len(document.Keys) > 0 {
		text, err := json.Marshal(document)
		if err != nil {
			return err
		}
		run.Told = text
	}
	if err := c.book.Store.AddExportRun(ctx, run); err != nil {
		return err
	}
	c.runs++
	c.next += int64(n)
	c.inFile += n
	c.done.Done += int64(n)
	c.tell(c.done)
	return nil
}

// whoIsTold finds the numbers of the subscribers of a run and of those on the other side of its transfers, as they are now.
func (c *closing) whoIsTold(ctx context.Context, run pendingRun) ([]told, error) {
	parties, err := c.book.Store.PartiesOf(ctx, distinct(run.references))
	if err != nil {
		return nil, err
	}
	others := make([]ocs.SubscriberID, len(run.subscribers))
	wanted := run.subscribers
	for i, owner := range run.subscribers {
		switch both := parties[run.references[i]]; owner {
		case both[0]:
			others[i] = both[1]
		case both[1]:
			others[i] = both[0]
		}
		if others[i] != "" {
			wanted = append(wanted, others[i])
		}
	}
	numbers, err := c.book.Store.NumbersOf(ctx, distinct(wanted))
	if err != nil {
		return nil, err
	}
	all := make([]told, len(run.subscribers))
	for i, owner := range run.subscribers {
		all[i] = told{MSISDN: numbers[owner], Other: numbers[others[i]]}
	}
	return all, nil
}
