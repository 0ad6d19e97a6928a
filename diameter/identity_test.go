package diameter

import (
	"slices"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
)

func TestIdentities(t *testing.T) {
	t.Parallel()
	type given struct { // an ocs.Identity
		Kind  ocs.IdentityKind
		Value string
	}
	e164, imsi, uri, nai, private := ocs.E164, ocs.IMSI, ocs.SIPURI, ocs.NAI, ocs.Private
	for _, c := range []struct {
		name     string
		given    []given
		userName string
		want     []given
	}{
		{"nothing", nil, "", nil},
		{"plus goes", []given{{e164, "+491700000001"}}, "", []given{{e164, "491700000001"}}},
		{"double zero goes", []given{{e164, "00491700000001"}}, "", []given{{e164, "491700000001"}}},
		{"separators go", []given{{e164, "+49 (170) 000-00.01"}}, "", []given{{e164, "491700000001"}}},
		{"look-up order, not the client's", []given{{private, "p"}, {nai, "u@R.test"}, {uri, "sip:alice@ims.test"}, {imsi, "262010000000001"}, {e164, "491700000001"}}, "x@Y",
			[]given{{e164, "491700000001"}, {imsi, "262010000000001"}, {uri, "sip:alice@ims.test"}, {nai, "u@r.test"}, {nai, "x@y"}, {private, "p"}}},
		{"SIP URI with a number is tried as one too", []given{{uri, "sip:+491700000001@IMS.Test:5060;user=phone"}}, "",
			[]given{{uri, "sip:+491700000001@ims.test"}, {e164, "491700000001"}}},
		{"SIP URI without scheme", []given{{uri, "Alice@IMS.test"}}, "", []given{{uri, "sip:Alice@ims.test"}}},
		{"secure SIP URI", []given{{uri, "SIPS:Alice:secret@IMS.test?subject=x"}}, "", []given{{uri, "sip:Alice@ims.test"}}},
		{"IPv6 domain", []given{{uri, "sip:alice@[2001:DB8::1]"}}, "", []given{{uri, "sip:alice@[2001:db8::1]"}}},
		{"tel URI", []given{{uri, "tel:+49-1700-000001;npdi"}}, "", []given{{e164, "491700000001"}}},
		{"URI in the place of a number", []given{{e164, "sip:+491700000001@ims.test"}}, "",
			[]given{{uri, "sip:+491700000001@ims.test"}, {e164, "491700000001"}}},
		{"a national number is no identity", []given{{uri, "tel:0170;phone-context=+49"}}, "", nil},
		{"number of another kind than E164", []given{{e164, "abc"}, {imsi, "26201x"}}, "", nil},
		{"too many digits", []given{{e164, "1234567890123456"}}, "", nil},
		{"the same twice", []given{{e164, "+491700000001"}, {e164, "491700000001"}, {uri, "sip:491700000001@x.test"}}, "tel:+491700000001",
			[]given{{e164, "491700000001"}, {uri, "sip:491700000001@x.test"}}},
		{"User-Name is a number", nil, "+491700000001", []given{{e164, "491700000001"}}},
		{"User-Name is a URI", nil, "sip:+491700000001@ims.test", []given{{uri, "sip:+491700000001@ims.test"}, {e164, "491700000001"}}},
		{"User-Name is an IMPI", nil, "262010000000001@ims.mnc001.mcc262.3GPPnetwork.org", []given{{nai, "262010000000001@ims.mnc001.mcc262.3gppnetwork.org"}}},
		{"host without user", []given{{uri, "sip:10.0.0.1"}}, "", nil},
	} {
		var i identities
		for _, one := range c.given {
			i.add(one.Kind, one.Value)
		}
		i.userName = c.userName
		var got []given
		for _, one := range i.list() {
			got = append(got, given(one))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v and User-Name %q give %v, want %v", c.name, c.given, c.userName, got, c.want)
		}
	}
}
