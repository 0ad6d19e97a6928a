package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are there on every machine

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A world is one subscriber with plans, and what was posted and told.
type world struct {
	terms    map[string]Terms
	account  Account
	now      time.Time
	zone     *time.Location
	language string
	ids      int
	used     map[ocs.BucketID]rating.Units // by calls
	postings []ocs.Posting
	told     []string
}

func newWorld() *world {
	return &world{
		terms: map[string]Terms{}, used: map[ocs.BucketID]rating.Units{}, zone: time.UTC, language: "en",
		account: Account{Subscriber: ocs.Subscriber{ID: "s", State: ocs.Active, MSISDN: "4930123456"}},
	}
}

func (w *world) rules() Rules {
	return Rules{
		Terms: func(plan string) (Terms, bool) { t, ok := w.terms[plan]; return t, ok },
		NewBucketID: func() ocs.BucketID {
			w.ids++
			return ocs.BucketID(fmt.Sprintf("b%02d", w.ids))
		},
	}
}

// apply stores an outcome, as the shell does, and returns what there is to tell of it.
func (w *world) apply(o Outcome) string {
	if o.Contract != nil {
		w.account.Contract = o.Contract
	}
	if o.Plan != "" {
		w.account.Subscriber.Plan = o.Plan
	}
	for _, b := range o.Buckets {
		i := slices.IndexFunc(w.account.Buckets, func(old Bucket) bool { return old.ID == b.ID })
		w.account.Buckets[i] = b
	}
	w.account.Buckets = append(w.account.Buckets, o.NewBuckets...)
	w.postings = append(w.postings, o.Postings...)
	var out strings.Builder
	if o.Orphan != "" {
		fmt.Fprintf(&out, "orphan %s\n", o.Orphan)
	}
	for _, p := range o.Postings {
		fmt.Fprintf(&out, "%s %-8s %-14s %+d %s\n", w.say(p.At), p.Kind, p.Account, p.Units, p.Unit)
	}
	for _, n := range o.Notices {
		text := n.Render(w.language)
		w.told = append(w.told, text)
		fmt.Fprintf(&out, "text %s\n", text)
	}
	return out.String()
}

func (w *world) say(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(w.zone).Format("2006-01-02T15:04:05")
}

func (w *world) describe() string {
	var out strings.Builder
	if c := w.account.Contract; c != nil {
		fmt.Fprintf(&out, "%s %s period=%d from=%s to=%s due=%s\n", c.Plan, c.State, c.Period, w.say(c.StartsAt), w.say(c.EndsAt), w.say(c.DueAt))
	}
	for _, b := range w.account.Buckets {
		if b.Balance == 0 {
			continue
		}
		fmt.Fprintf(&out, "%s %s balance=%d", b.ID, b.Class, b.Balance)
		if b.Reserved > 0 {
			fmt.Fprintf(&out, " reserved=%d", b.Reserved)
		}
		fmt.Fprintf(&out, " %s to=%s\n", b.Unit, w.say(b.ExpiresAt))
	}
	return out.String()
}

// check is what must hold after every step.
func (w *world) check() error {
	sums := map[string]rating.Units{}
	lots := map[ocs.BucketID]rating.Units{}
	seen := map[string]bool{}
	for _, p := range w.postings {
		sums[p.Movement+" "+p.At.String()+string(p.Unit)] += p.Units
		lots[p.Bucket] += p.Units
		key := fmt.Sprint(p.At, p.Movement, p.Leg)
		if seen[key] {
			return fmt.Errorf("posted twice: %s", key)
		}
		seen[key] = true
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if sums[name] != 0 {
			return fmt.Errorf("the legs of %s sum to %d", name, sums[name])
		}
	}
	for _, b := range w.account.Buckets {
		if b.Reserved < 0 || b.Reserved > b.Balance {
			return fmt.Errorf("bucket %s: balance %d reserved %d", b.ID, b.Balance, b.Reserved)
		}
		if want := lots[b.ID] - w.used[b.ID]; b.Balance != want {
			return fmt.Errorf("bucket %s: balance %d, posted and used make %d", b.ID, b.Balance, want)
		}
	}
	return nil
}

// give makes a lot out of nothing.
func (w *world) give(class string, unit rating.Unit, units rating.Units, expires time.Time) {
	w.ids++
	b, legs := ocs.GrantBucket(ocs.Grant{
		Movement: "give" + strconv.Itoa(w.ids), Subscriber: "s", Bucket: ocs.BucketID(fmt.Sprintf("b%02d", w.ids)), Unit: unit,
		Units: units, Class: class, ExpiresAt: expires, Offer: "test",
	}, w.now)
	w.account.Buckets = append(w.account.Buckets, Bucket{Bucket: b})
	w.postings = append(w.postings, legs...)
}

// use debits a lot as calls do, and makes its contract due when it is low then.
func (w *world) use(b *Bucket, units rating.Units) {
	b.Balance -= units
	w.used[b.ID] += units
	c := w.account.Contract
	if b.IsLow() && c != nil && (c.DueAt.IsZero() || w.now.Before(c.DueAt)) {
		c.DueAt = w.now
	}
}

func (w *world) bucket(id string) *Bucket {
	for i := range w.account.Buckets {
		if w.account.Buckets[i].ID == ocs.BucketID(id) {
			return &w.account.Buckets[i]
		}
	}
	return nil
}

// parseTerms reads what a scenario says of a plan.
func (w *world) parseTerms(t *testing.T, plan string, args map[string]string) {
	t.Helper()
	terms := Terms{Plan: plan, Zone: w.zone, Retry: day}
	for key, value := range args {
		switch key {
		case "period":
			terms.Period = parsePeriod(t, value)
		case "day":
			terms.Day = int(number(t, value))
		case "price":
			amount, currency, _ := strings.Cut(value, ":")
			terms.Price = Price{Units: number(t, amount), Unit: rating.Unit(currency)}
		case "from":
			terms.Price.Classes = []string{value}
		case "brings", "rollover", "low":
		case "grace":
			terms.Grace = duration(t, value)
		case "retry":
			terms.Retry = duration(t, value)
		case "within":
			terms.Within = duration(t, value)
		case "before":
			terms.Notices.Before = duration(t, value)
		case "used":
			for percent := range strings.SplitSeq(value, ",") {
				terms.Notices.Used = append(terms.Notices.Used, int(number(t, percent)))
			}
		case "is":
			for word := range strings.SplitSeq(value, ",") {
				switch word {
				case "exact":
					terms.Exact = true
				case "prorated":
					terms.Prorate = true
				case "first-use":
					terms.FirstUse = true
				case "first-free":
					terms.FirstFree = true
				case "silent":
					terms.Notices.Off = true
				default:
					t.Fatalf("no such word: %s", word)
				}
			}
		default:
			t.Fatalf("no such key: %s", key)
		}
	}
	if from := args["from"]; from != "" {
		terms.Price.Classes = []string{from}
	}
	for brings := range strings.SplitSeq(args["brings"], ",") {
		if units, unit, ok := strings.Cut(brings, ":"); ok {
			a := Allowance{Unit: rating.Unit(unit), Units: number(t, units), Class: "plan"}
			if unit == "seconds" {
				a.Rollover, a.Low = number(t, cmp.Or(args["rollover"], "0")), number(t, cmp.Or(args["low"], "0"))
			}
			terms.Allowances = append(terms.Allowances, a)
		}
	}
	if err := terms.Validate(); err != nil {
		t.Fatalf("terms of %s: %v", plan, err)
	}
	w.terms[plan] = terms
}

func parsePeriod(t *testing.T, text string) Period {
	t.Helper()
	n := int(number(t, text[:len(text)-1]))
	if strings.HasSuffix(text, "m") {
		return Period{Months: n}
	}
	return Period{Days: n}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if days, ok := strings.CutSuffix(text, "d"); ok {
		return time.Duration(number(t, days)) * day
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, text string) rating.Units {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return rating.Units(n)
}
