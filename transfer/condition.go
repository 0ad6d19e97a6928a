package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Condition of a risk rule compares facts about a transfer, as people write it (6.1):
//
//	out_24h >= 0.9*in_24h and in_24h >= 6000 and median_hold < 30m
//	count_24h(amount between 0.9*max and max) >= 3
//	not (account_age >= 7d) or root_returns_to_former_owner within 7d
//
// Comparisons are joined by and, or, not and brackets. Each side is a quantity (seconds, or 125min), a count, a time (7d, 30m), or
// a fact, which a factor of up to four decimals may multiply. Facts look back at most [MaxLookBack].
type Condition struct {
	text string
	root clause
}

// MaxLookBack bounds how far back a fact may look, and so how much is read to decide a transfer.
const MaxLookBack = 31 * day

// String returns the condition as it was written.
func (c Condition) String() string { return c.text }

// ParseCondition reads a condition.
func ParseCondition(text string) (Condition, error) {
	p := conditionParser{rest: text}
	p.next()
	root := p.either()
	if p.err == nil && p.token != "" {
		p.fail("%q is too much", p.token)
	}
	if p.err != nil {
		return Condition{}, p.err
	}
	return Condition{text: strings.Join(strings.Fields(text), " "), root: root}, nil
}

// A clause is a part of a condition that is true or not.
type clause interface {
	holds(facts *facts) bool
	each(visit func(fact)) // every fact in it
}

type (
	allOf  []clause
	anyOf  []clause
	negate struct{ clause }
	// comparison is left op right.
	comparison struct {
		left, right operand
		op          string
	}
	// within is a fact that is a time ago.
	within struct{ fact }
)

func (a allOf) holds(f *facts) bool {
	all := true
	for _, c := range a { // all are looked at, so that the values of all are told
		all = c.holds(f) && all
	}
	return all
}

func (a anyOf) holds(f *facts) bool {
	one := false
	for _, c := range a {
		one = c.holds(f) || one
	}
	return one
}

func (n negate) holds(f *facts) bool { return !n.clause.holds(f) }

func (c comparison) holds(f *facts) bool {
	order := cmp.Compare(c.left.value(f), c.right.value(f))
	switch c.op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	}
	return order == 0
}

func (w within) holds(f *facts) bool { return f.value(w.fact) > 0 }

func (a allOf) each(visit func(fact)) {
	for _, c := range a {
		c.each(visit)
	}
}

func (a anyOf) each(visit func(fact)) {
	for _, c := range a {
		c.each(visit)
	}
}

func (n negate) each(visit func(fact)) { n.clause.each(visit) }

func (c comparison) each(visit func(fact)) {
	for _, o := range []operand{c.left, c.right} {
		if o.fact.name != "" {
			visit(o.fact)
		}
	}
}

func (w within) each(visit func(fact)) { visit(w.fact) }

// scale is what factors are multiples of.
const scale = 10_000

// An operand is a factor times a fact, or a factor alone. Factors are in ten-thousandths.
type operand struct {
	factor int64
	fact   fact
	of     dimension
}

// value is in ten-thousandths too. Facts are bounded so that it cannot overflow: see mostFact.
func (o operand) value(f *facts) int64 {
	if o.fact.name == "" {
		return o.factor
	}
	return o.factor * f.value(o.fact)
}

// mostFact bounds a fact, and mostFactor a factor, so that their product fits.
const (
	mostFact   = 1 << 45
	mostFactor = 10 * scale
)

// A dimension is what a number counts.
type dimension string

// The dimensions. A bare number may be a quantity or a count.
const (
	bareNumber dimension = "a number"
	quantities dimension = "a quantity"
	counted    dimension = "a count"
	times      dimension = "a time"
)

// conditionParser reads a condition from left to right, one token ahead.
type conditionParser struct {
	rest, token string
	depth       int
	err         error
}

func (p *conditionParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest, p.token = "", ""
}

const wordCharacters = "abcdefghijklmnopqrstuvwxyz_0123456789."

// next reads a token.
func (p *conditionParser) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	n := 0
	for n < len(p.rest) && strings.IndexByte(wordCharacters, p.rest[n]) >= 0 {
		n++
	}
	switch {
	case n > 0 || p.rest == "":
	case strings.HasPrefix(p.rest, ">="), strings.HasPrefix(p.rest, "<="), strings.HasPrefix(p.rest, "=="):
		n = 2
	default:
		n = 1
	}
	p.token, p.rest = p.rest[:n], p.rest[n:]
}

// take reads token if it comes next.
func (p *conditionParser) take(token string) bool {
	if p.token != token {
		return false
	}
	p.next()
	return true
}

func (p *conditionParser) need(token string) {
	if !p.take(token) {
		p.fail("%q where %q is needed", p.token, token)
	}
}

// most is how deep brackets may lie in each other.
const mostDepth = 20

func (p *conditionParser) either() clause {
	all := anyOf{p.both()}
	for p.take("or") {
		all = append(all, p.both())
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (p *conditionParser) both() clause {
	all := allOf{p.one()}
	for p.take("and") {
		all = append(all, p.one())
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (p *conditionParser) one() clause {
	if p.depth++; p.depth > mostDepth {
		p.fail("brackets and negations lie more than %d deep", mostDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("not"):
		return negate{p.one()}
	case p.take("("):
		inner := p.either()
		p.need(")")
		return inner
	}
	left := p.operand()
	if left.fact.name == returnFact {
		p.need("within")
		left.fact.within = p.time()
		return within{left.fact}
	}
	op := p.token
	switch op {
	case ">=", "<=", ">", "<", "=", "==":
		p.next()
	default:
		p.fail("%q where a comparison is needed: >=, <=, >, < or =", op)
		return left0(left)
	}
	right := p.operand()
	p.alike(left, right)
	return comparison{left, right, strings.Replace(op, "==", "=", 1)}
}

// left0 stands where a clause could not be read.
func left0(o operand) clause { return comparison{o, o, "="} }

// alike faults two sides that count different things.
func (p *conditionParser) alike(a, b operand) {
	if a.of == b.of || a.of == bareNumber && b.of != times || b.of == bareNumber && a.of != times || a.is0() || b.is0() {
		return
	}
	if a.of == bareNumber || b.of == bareNumber {
		p.fail("a time needs a unit: write 7d, 36h, 30m or 90s")
		return
	}
	p.fail("%s is compared with %s", a.of, b.of)
}

func (o operand) is0() bool { return o.fact.name == "" && o.factor == 0 }

// operand reads 0.9*in_24h, in_24h, 6000, 125min or 30m.
func (p *conditionParser) operand() operand {
	token := p.token
	if token == "" || token[0] < '0' || token[0] > '9' {
		f := p.fact()
		return operand{scale, f, f.dimension()}
	}
	p.next()
	if p.take("*") {
		factor, err := ten4(token)
		if err != nil || factor > mostFactor {
			p.fail("%q is no factor: write 0 to 10, with four decimals at most", token)
		}
		f := p.fact()
		return operand{factor, f, f.dimension()}
	}
	return p.literal(token)
}

func (p *conditionParser) literal(token string) operand {
	digits := strings.TrimRight(token, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > mostFact/scale {
		p.fail("%q is no number: write whole seconds or a count, such as 6000, minutes, such as 125min, or a time, such as 30m", token)
		return operand{}
	}
	o := operand{factor: n * scale}
	switch unit := token[len(digits):]; unit {
	case "":
		o.of = bareNumber
	case "min":
		o.factor, o.of = o.factor*int64(minute), quantities
	case "d", "h", "m", "s":
		o.factor, o.of = o.factor*int64(timeUnits[unit]/time.Second), times
	default:
		p.fail("%q has no unit that is known: d, h, m, s for times, min for minutes of a balance", token)
	}
	return o
}

// time reads 7d.
func (p *conditionParser) time() time.Duration {
	token := p.token
	p.next()
	d, err := lookBack(token)
	if err != nil {
		p.fail("%w", err)
	}
	return d
}

var timeUnits = map[string]time.Duration{"d": day, "h": time.Hour, "m": time.Minute, "s": time.Second}

// lookBack reads a time that a fact may look back.
func lookBack(text string) (time.Duration, error) {
	if text != "" {
		n, err := strconv.ParseInt(text[:len(text)-1], 10, 32)
		unit, known := timeUnits[text[len(text)-1:]]
		if err == nil && known && n >= 1 && time.Duration(n) <= MaxLookBack/unit {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, fmt.Errorf("%q is no time to look back: write 1h, 24h or 7d, %d days at most", text, MaxLookBack/day)
}

var errFactor = errors.New("no factor")

// ten4 reads a decimal in ten-thousandths.
func ten4(text string) (int64, error) {
	whole, decimals, _ := strings.Cut(text, ".")
	if len(decimals) > 4 {
		return 0, errFactor
	}
	return strconv.ParseInt(whole+(decimals + "0000")[:4], 10, 32)
}

// fact reads a name, and what may follow it.
func (p *conditionParser) fact() fact {
	f, err := parseFact(p.token)
	if err != nil {
		p.fail("%w", err)
		return f
	}
	p.next()
	if f.name != countFact || !p.take("(") {
		return f
	}
	p.need("amount")
	p.need("between")
	least := p.operand()
	p.need("and")
	most := p.operand()
	p.need(")")
	for _, bound := range []operand{least, most} {
		if name := bound.fact.name; name != "" && name != amountFact && name != maxFact || bound.of != quantities && bound.of != bareNumber {
			p.fail("a bound of amount is a quantity, amount or max")
		}
	}
	f.between = &[2]operand{least, most}
	return f
}

func clip(n rating.Units) int64 { return int64(min(max(n, 0), mostFact)) }
