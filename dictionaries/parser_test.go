package dictionaries_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"

	"github.com/gyro-ocs/gyro/dictionaries"
)

func parser(t *testing.T) *dict.Parser {
	t.Helper()
	p, err := dictionaries.Parser()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The applications of the dictionary are those that a node advertises: the base protocol and plain credit control, no
// vendor's variant of it (RFC 6733 §5.3).
func TestParserHasTwoApplications(t *testing.T) {
	t.Parallel()
	got := map[uint32]bool{}
	for _, app := range parser(t).Apps() {
		got[app.ID] = true
		if len(app.Vendor) > 0 {
			t.Errorf("application %d declares vendor %d", app.ID, app.Vendor[0].ID)
		}
	}
	if len(got) != 2 || !got[0] || !got[4] {
		t.Errorf("applications %v, want 0 and 4", got)
	}
}

func TestParserKnowsTheCommands(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for _, c := range []struct{ app, code uint32 }{{0, 257}, {4, 258}, {4, 272}, {4, 274}, {0, 280}, {0, 282}} {
		command, err := p.FindCommand(c.app, c.code)
		if err != nil {
			t.Errorf("command %d of application %d: %v", c.code, c.app, err)
			continue
		}
		if len(command.Request.Rule) == 0 || len(command.Answer.Rule) == 0 {
			t.Errorf("command %d: go-diameter refuses one without AVPs", c.code)
		}
	}
	for _, code := range []uint32{271, 275, 999} {
		if _, err := p.FindCommand(4, code); err == nil {
			t.Errorf("command %d is known, want not", code)
		}
	}
}

func TestEveryAVPIsFoundAsItself(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for _, app := range p.Apps() {
		for _, want := range app.AVP {
			if want.VendorID == dict.UndefinedVendorID {
				continue
			}
			got, err := p.FindAVPByCode(4, want.Code, want.VendorID)
			if err != nil || got.Name != want.Name || got.Data.Type != want.Data.Type {
				t.Errorf("%s %d of vendor %d is found as %v (%v)", want.Name, want.Code, want.VendorID, got, err)
			}
			for _, member := range want.Data.Rule {
				if _, err := p.FindAVP(4, member.AVP); err != nil {
					t.Errorf("member of %s: %v", want.Name, err)
				}
			}
		}
	}
}

func TestNamesOfTheSpecification(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for name, want := range map[string]struct {
		code, vendor uint32
		kind         datatype.TypeID
	}{
		"Session-Id":                       {263, 0, datatype.UTF8StringType},
		"Multiple-Services-Credit-Control": {456, 0, datatype.GroupedType},
		"CC-Sub-Session-Id":                {419, 0, datatype.Unsigned64Type},
		"Value-Digits":                     {447, 0, datatype.Integer64Type},
		"Exponent":                         {429, 0, datatype.Integer32Type},
		"Tariff-Time-Change":               {451, 0, datatype.TimeType},
		"Subscription-Id-E164":             {660, 0, datatype.UTF8StringType}, // new in RFC 8506
		"Announcement-Information":         {3904, 10415, datatype.GroupedType},
		"Unused-Quota-Timer":               {4407, 10415, datatype.Unsigned32Type},
		"3GPP-User-Location-Info":          {22, 10415, datatype.OctetStringType},
		"IMSI-Unauthenticated-Flag":        {2308, 10415, datatype.EnumeratedType},
		"Accounting-Record-Number":         {485, 0, datatype.Unsigned32Type},
		"Huawei-Charge-Flow-Type":          {20339, 2011, datatype.Unsigned32Type},
		"Ericsson-Traffic-Case":            {1082, 193, datatype.Integer32Type},
	} {
		got, err := p.FindAVPWithVendor(4, name, want.vendor)
		if err != nil || got.Code != want.code || got.Data.Type != want.kind {
			t.Errorf("%s: %+v, %v, want code %d of type %d", name, got, err, want.code, want.kind)
		}
	}
}

// An AVP is known by code and vendor together. As shipped, go-diameter takes the first of these for CC-Request-Number,
// the second for Service-Information.
func TestAVPsOfOtherVendorsAreUnknown(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for _, a := range []struct{ code, vendor uint32 }{{415, 9999}, {873, 0}, {1, 2011}, {263, 10415}, {65000, 0}} {
		want := datatype.Unknown{1, 2, 3, 4, 5, 6, 7, 8}
		flags := uint8(avp.Mbit)
		if a.vendor != 0 {
			flags |= avp.Vbit
		}
		encoded, err := diam.NewAVP(a.code, flags, a.vendor, want).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		for _, app := range []uint32{0, 4} {
			got, err := diam.DecodeAVP(encoded, app, p)
			if err != nil {
				t.Errorf("AVP %d of vendor %d in application %d: %v", a.code, a.vendor, app, err)
				continue
			}
			if data, ok := got.Data.(datatype.Unknown); !ok || !bytes.Equal(data, want) {
				t.Errorf("AVP %d of vendor %d in application %d is %T %v, want %T", a.code, a.vendor, app, got.Data, got.Data, want)
			}
		}
	}
}

// An E.164 address of fourteen digits has the sixteen octets of an IPv6 address. As shipped, go-diameter then reads the
// next AVP from a wrong place.
func TestAddressOfAnyFamilyKeepsItsLength(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for _, family := range []string{"\x00\x0849170000000001", "\x00\x0812", "\x00\x01\x0a", "\x00\x00", ""} {
		group, err := diam.NewAVP(2000, avp.Mbit, 10415, &diam.GroupedAVP{AVP: []*diam.AVP{
			diam.NewAVP(2017, avp.Mbit, 10415, datatype.OctetString(family)), // SMSC-Address
			diam.NewAVP(2019, avp.Mbit, 10415, datatype.Unsigned32(7)),
		}}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := diam.DecodeAVP(group, 4, p)
		if err != nil {
			t.Fatalf("address %q: %v", family, err)
		}
		members := decoded.Data.(*diam.GroupedAVP).AVP
		if len(members) != 2 || members[1].Data != datatype.Unsigned32(7) {
			t.Errorf("address %q: the group is %v", family, fmt.Sprint(members))
		}
	}
}
