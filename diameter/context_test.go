package diameter

import (
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
)

func TestGY_054_ServiceContext(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]ocs.Context{
		"32260@3gpp.org":               {Name: "32260@3gpp.org"},
		"15.32260@3gpp.org":            {Name: "32260@3gpp.org", Release: 15},
		"01.262.15.32260@3gpp.org":     {Name: "32260@3gpp.org", Release: 15},
		"ext.01.262.15.32260@3gpp.org": {Name: "32260@3gpp.org", Release: 15},
		"ext.001.262.8.32260@3gpp.org": {Name: "32260@3gpp.org", Release: 8},
		"15.32260.3gpp.org":            {Name: "32260@3gpp.org", Release: 15},
		"12.32275@3GPP.ORG":            {Name: "32275@3gpp.org", Release: 12},
		"4.32260@3gpp.org":             {Name: "32260@3gpp.org"}, // TS 32.299 begins with Release 5
		"20.32260@3gpp.org":            {Name: "32260@3gpp.org"},
		"262.32260@3gpp.org":           {Name: "32260@3gpp.org"}, // an MCC
		"voice@huawei.com":             {Name: "voice@huawei.com"},
		"SCAP_V.2.0@ericsson.com":      {Name: "scap_v.2.0@ericsson.com"},
		"a@b@3gpp.org":                 {Name: "a@b@3gpp.org"},
		"@3gpp.org":                    {Name: "@3gpp.org"},
		"32260":                        {Name: "32260"},
		"":                             {},
	} {
		if got := parseContext(id); got != want {
			t.Errorf("parseContext(%q) = %+v, want %+v", id, got, want)
		}
	}
}
