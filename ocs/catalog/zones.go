package catalog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// zoneKeys are the keys of zones, as catalog.schema.json has them.
var zoneKeys = []string{"file"}

// The first two columns of a CSV file of zones. More columns are for people.
const (
	prefixColumn = "prefix"
	zoneColumn   = "zone"
)

// A zoneLine is a prefix and where it stands.
type zoneLine struct {
	rating.ZonePrefix
	line int
}

// readZones reads the CSV file that zones are in.
func (p *parser) readZones(v value) {
	if !p.define("list of zones", "zones", v) {
		return
	}
	fields, ok := v.fields(zoneKeys...)
	if !ok {
		return
	}
	field, ok := fields["file"]
	if !ok {
		v.Faultf("no file: name a CSV file with the columns prefix and zone")
		return
	}
	name, ok := field.Text()
	if !ok {
		return
	}
	if !isName(name) {
		field.Faultf("%q is no name of a file beside this one: use letters, digits, dots, dashes and underscores", yamltext.Clip(name))
		return
	}
	data, err := p.open(name)
	if err != nil {
		field.Faultf("%v", err)
		return
	}
	data = yamltext.TrimMark(data)
	p.opened[name] = data
	p.zonesFrom(name, data)
}

func (p *parser) zonesFrom(name string, data []byte) {
	lines := make([]zoneLine, 0, bytes.Count(data, []byte("\n")))
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		text = strings.TrimRight(text, "\r\n")
		prefix, rest, _ := strings.Cut(text, ",")
		zone, _, _ := strings.Cut(rest, ",")
		prefix, zone = unquote(prefix), unquote(zone)
		switch {
		case number == 1 && prefix == prefixColumn && zone == zoneColumn:
			continue
		case number == 1:
			p.Add(Fault{File: name, Line: 1, Reason: "the first line does not name the columns: write prefix,zone"})
			return
		case text == "" || text[0] == '#':
			continue
		}
		digits := strings.TrimPrefix(prefix, "+")
		switch {
		case !yamltext.IsDigits(digits) || len(digits) > maxDigits:
			p.Add(Fault{File: name, Line: number, Reason: fmt.Sprintf("%q is no prefix: up to %d digits of an international number, with or without +", yamltext.Clip(prefix), maxDigits)})
		case !isName(zone):
			p.Add(Fault{File: name, Line: number, Reason: fmt.Sprintf("%q cannot name a zone: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(zone), maxName)})
		default:
			if prefix[0] != '+' {
				prefix = "+" + prefix
			}
			lines = append(lines, zoneLine{rating.ZonePrefix{Prefix: prefix, Zone: zone}, number})
		}
	}
	if len(lines) == 0 && p.Faults() == 0 {
		p.Add(Fault{File: name, Reason: "no prefix is in it"})
		return
	}
	if p.anyTwice(name, lines) {
		return
	}
	list := make([]rating.ZonePrefix, len(lines))
	for i := range lines {
		list[i] = lines[i].ZonePrefix
	}
	p.zones = rating.NewZones(list)
	p.zoneIndex = map[string]int{}
	for i, zone := range p.zones.Names() {
		p.zoneIndex[zone] = i
	}
}

// anyTwice tells of prefixes that come twice. It sorts lines.
func (p *parser) anyTwice(name string, lines []zoneLine) (found bool) {
	slices.SortStableFunc(lines, func(a, b zoneLine) int { return strings.Compare(a.Prefix, b.Prefix) })
	for i := 1; i < len(lines); i++ {
		if lines[i].Prefix == lines[i-1].Prefix {
			found = true
			p.Add(Fault{File: name, Line: lines[i].line, Reason: fmt.Sprintf("the prefix %s is also in line %d, for zone %s; it is in one zone", lines[i].Prefix, lines[i-1].line, lines[i-1].Zone)})
		}
	}
	return found
}

// unquote takes off the quotes that some programs put around every column.
func unquote(column string) string {
	column = strings.TrimSpace(column)
	if inner, ok := strings.CutPrefix(column, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			return inner
		}
	}
	return column
}
