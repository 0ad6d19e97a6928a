package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// goDiameter returns t for github.com/fiorix/go-diameter.
//
// No vendor is declared: with one, go-diameter's own state machine would advertise a Vendor-Specific-Application-Id.
// Two types are not the true ones. An Address is loaded as OctetString, because v4.3.0 takes four or sixteen octets of
// any family for an IP address, and then reads on at the wrong place: an E.164 address of fourteen digits is such a one.
// A Proxy-Info is loaded as OctetString because it is opaque and goes back octet for octet.
func goDiameter(t Table) []byte {
	var b text
	b.linef("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- %s -->\n<diameter>", generated)
	for _, app := range slices.SortedFunc(slices.Values(t.Applications), func(a, b Application) int { return cmp.Compare(a.ID, b.ID) }) {
		kind := ""
		if app.ID != 0 {
			kind = ` type="auth"`
		}
		b.linef("  <application id=\"%d\"%s name=\"%s\">", app.ID, kind, app.Name)
		for _, request := range app.Commands {
			if !request.Request() {
				continue
			}
			short := strings.TrimSuffix(request.Short, "R")
			name := strings.TrimSuffix(request.Name, "-Request")
			b.linef("    <command code=\"%d\" short=\"%s\" name=\"%s\">", request.Code, short, name)
			writeRules(&b, "      <request>", "      </request>", request.Members)
			for _, answer := range app.Commands {
				if answer.Code == request.Code && !answer.Request() {
					writeRules(&b, "      <answer>", "      </answer>", answer.Members)
				}
			}
			b.line("    </command>")
		}
		for _, a := range app.AVPs {
			writeGoDiameterAVP(&b, a)
		}
		b.line("  </application>")
	}
	b.line("</diameter>")
	return b.Bytes()
}

func writeGoDiameterAVP(b *text, a AVP) {
	must, may, mustNot := []string{}, "P", "-"
	switch a.Flag {
	case Must:
		must = append(must, "M")
	case May:
		may = "P,M"
	case MustNot:
		mustNot = "M"
	}
	if a.Vendor.ID != 0 {
		must = append(must, "V")
	}
	b.linef("    <avp name=\"%s\" code=\"%d\" must=\"%s\" may=\"%s\" must-not=\"%s\" vendor-id=\"%d\">",
		a.Name, a.Code, strings.Join(must, ","), may, mustNot, a.Vendor.ID)
	switch {
	case a.Type == "Address", a.Name == "Proxy-Info":
		b.line(`      <data type="OctetString"/>`)
	case len(a.Members) > 0:
		writeRules(b, `      <data type="Grouped">`, `      </data>`, a.Members)
	case len(a.Values) > 0:
		b.line(`      <data type="Enumerated">`)
		for _, v := range a.Values {
			b.linef("        <item code=\"%d\" name=\"%s\"/>", v.Number, v.Name)
		}
		b.line(`      </data>`)
	default:
		b.linef("      <data type=\"%s\"/>", a.Type)
	}
	b.line("    </avp>")
}

func writeRules(b *text, begin, end string, members []Member) {
	b.line(begin)
	for _, m := range members {
		limits := ""
		if m.Max > 0 {
			limits = fmt.Sprintf(` max="%d"`, m.Max)
		}
		b.linef("        <rule avp=\"%s\" required=\"%t\"%s/>", m.Name, m.Min > 0, limits)
	}
	b.line(end)
}
