package main

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// cdrConfig says which CDRs are written and to which months they belong.
type cdrConfig struct {
	Zone       string // IANA name
	Refused    bool
	Unanswered bool
}

// zone returns the time zone, which validate has looked up before.
func (c cdrConfig) zone() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (c cdrConfig) rules() ocs.RecordRules {
	return ocs.RecordRules{Zone: c.zone(), Refused: c.Refused, NoUnanswered: !c.Unanswered}
}
