package table

import (
	"cmp"
	"fmt"
	"slices"
)

// ownCommands are the commands of the application that Erlang needs in its dictionary: an answer is decoded by the
// dictionary of the application in the header, and RAR and ASR carry application 4.
var ownCommands = []uint32{258, 272, 274}

// erlang returns t as the dictionary of application 4 for the diameter application of Erlang/OTP. The AVPs of
// application 0 are inherited from its own dictionary of RFC 6733, those of accounting from that of RFC 6733 accounting.
func erlang(t Table) []byte {
	var b text
	b.linef(";; %s\n\n@id 4\n@name gyro\n@prefix gyro\n@vendor 0 IETF\n", generated)
	b.line("@inherits diameter_gen_base_rfc6733\n@inherits diameter_gen_acct_rfc6733\n\n@avp_types\n")
	var avps []AVP
	for _, app := range t.Applications {
		if app.ID == 4 {
			avps = app.AVPs
		}
	}
	for _, a := range avps {
		b.linef("    %s %d %s %s", a.Name, a.Code, erlangType(a), erlangFlags(a))
	}
	for _, v := range t.Vendors {
		b.linef("\n@avp_vendor_id %d\n", v.ID)
		for _, a := range avps {
			if a.Vendor == v {
				b.linef("    %s", a.Name)
			}
		}
	}
	for _, a := range avps {
		if len(a.Values) > 0 {
			b.linef("\n@enum %s\n", a.Name)
			for _, v := range a.Values {
				b.linef("    %s %d", v.Name, v.Number)
			}
		}
	}
	b.line("\n@messages")
	for _, app := range t.Applications {
		for _, c := range app.Commands {
			if !slices.Contains(ownCommands, c.Code) {
				continue
			}
			flags := "PXY"
			if c.Request() {
				flags = "REQ, PXY"
			}
			b.linef("\n    %s ::= < Diameter Header: %d, %s >", c.Short, c.Code, flags)
			writeErlangMembers(&b, c.Members)
		}
	}
	b.line("\n@grouped")
	for _, a := range avps {
		if a.Type == "Grouped" {
			vendor := ""
			if a.Vendor.ID != 0 {
				vendor = fmt.Sprintf(" %d", a.Vendor.ID)
			}
			b.linef("\n    %s ::= < AVP Header: %d%s >", a.Name, a.Code, vendor)
			writeErlangMembers(&b, a.Members)
		}
	}
	return b.Bytes()
}

// erlangType returns the type of a. Erlang takes no value at all for an Enumerated without named ones.
func erlangType(a AVP) string {
	if a.Type == "Enumerated" && len(a.Values) == 0 {
		return "Integer32"
	}
	return a.Type
}

func erlangFlags(a AVP) string {
	flags := ""
	if a.Flag == Must {
		flags += "M"
	}
	if a.Vendor.ID != 0 {
		flags += "V"
	}
	if flags == "" {
		return "-"
	}
	return flags
}

// writeErlangMembers writes the members as Erlang wants them: those at a fixed place, those required, the others.
func writeErlangMembers(b *text, members []Member) {
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b Member) int { return cmp.Compare(b.rank(), a.rank()) })
	for _, m := range members {
		switch {
		case m.First:
			b.linef("        < %s >", m.Name)
		case m.Min > 0 && m.Max == 0:
			b.linef("        1* { %s }", m.Name)
		case m.Min > 0:
			b.linef("        { %s }", m.Name)
		case m.Max == 0:
			b.linef("        * [ %s ]", m.Name)
		default:
			b.linef("        [ %s ]", m.Name)
		}
	}
	b.line("        * [ AVP ]")
}

func (m Member) rank() int {
	switch {
	case m.First:
		return 2
	case m.Min > 0:
		return 1
	}
	return 0
}
