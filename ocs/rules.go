package ocs

import (
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Rules are what the operator configured, as one value: a decision sees one version of them, whole.
type Rules struct {
	Catalog   string // version of the catalogue
	Services  map[string]Service
	Plans     map[string]rating.Plan
	Versions  map[string]map[string]rating.Plan // plans of other catalogues, which open sessions began with
	Emergency []string                          // numbers that are always free and never refused, as dialled: 112
	Failover  bool                              // several servers share the database: CC-Session-Failover is offered (§8.4)
	Records   RecordRules
}

// RecordRules say which CDRs are written.
type RecordRules struct {
	Zone         *time.Location // whose months CDRs keep apart; nil: UTC
	Refused      bool           // also of what was refused before it began
	NoUnanswered bool           // not of a session in which nothing was used
}

// A Service is how one service context is charged.
type Service struct {
	Name               string // 32260@3gpp.org
	Kind               rating.Kind
	Measure            rating.Unit   // granted when the client names no unit
	DefaultQuota       rating.Units  // granted when the client names no amount
	MaxQuota           rating.Units  // granted at most
	Validity           time.Duration // Validity-Time of a grant; 0: the granted seconds plus Ringing
	Ringing            time.Duration // added to a grant of seconds, so that Validity-Time never cuts a normal call
	Supervision        time.Duration // Tcc of a session that has no grant
	DenyInside         bool          // a refusal stands in its MSCC only, and the session goes on (spec/gy 3.9)
	LowBalance         rating.Units  // free balance below which Low-Balance-Indication is given; 0: never
	Threshold          int64         // percent of the grant that is told as quota threshold; 0: none
	LeastThreshold     rating.Units  // no threshold below this
	Partial            time.Duration // a session that is longer gets a CDR each time that this has passed; 0: only at its end
	FailureHandling    *uint8        // Credit-Control-Failure-Handling of the first answer; nil: not sent
	FreeIsUncontrolled bool          // a free destination is answered 4011 instead of a long grant

	Final         *FinalUnits    // what becomes of the user after the last units; nil: the session ends (TERMINATE)
	RestrictFor   time.Duration  // Validity-Time while access is restricted, whole seconds
	RestrictAgain bool           // who is restricted and asks again gets the same again; else 4012
	Extras        *Extras        // told with every grant; nil: nothing
	Announce      *Announcements // nil: none
	TellCost      bool           // Cost-Information in the answers to updates and terminations that are paid in money
	TellBalance   bool           // Remaining-Balance, likewise

	TariffChange bool // grants of volume go on over a change of tariff, which is told (§8.20); else they end at it
}

// version returns the plans of a catalogue, or those in force where it is not known any more, and whose they are.
func (rules *Rules) version(catalog string) (plans map[string]rating.Plan, version string) {
	if catalog != rules.Catalog && catalog != "" {
		if plans, ok := rules.Versions[catalog]; ok {
			return plans, catalog
		}
	}
	return rules.Plans, rules.Catalog
}

// maxSeconds is the largest grant of time that fits into CC-Time and into a Validity-Time with room for the ringing.
const maxSeconds = 1 << 31

// Validate returns everything that is wrong with s, joined.
func (s Service) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(s.Name == "", "no service context")
	fault(s.Measure != rating.Seconds && s.Measure != rating.Octets && s.Measure != rating.Events,
		"unit %q is none of seconds, octets, events", s.Measure)
	fault(s.DefaultQuota < 1, "default quota %d is less than 1", s.DefaultQuota)
	fault(s.MaxQuota < s.DefaultQuota, "maximum quota %d is less than the default quota %d", s.MaxQuota, s.DefaultQuota)
	fault(s.MaxQuota > maxReport || s.Measure == rating.Seconds && s.MaxQuota > maxSeconds, "maximum quota %d is too large", s.MaxQuota)
	fault(s.Validity < 0 || s.Validity%time.Second != 0, "validity %v is not a whole number of seconds", s.Validity)
	fault(s.Ringing < 0 || s.Ringing%time.Second != 0, "ringing time %v is not a whole number of seconds", s.Ringing)
	fault(s.Validity > maxSeconds*time.Second || s.Ringing > maxSeconds*time.Second, "validity or ringing time is too long")
	fault(s.Partial < 0 || s.Partial > 0 && s.Partial < time.Minute, "interval of partial CDRs %v is less than a minute", s.Partial)
	fault(s.Supervision < time.Second, "supervision %v is less than a second", s.Supervision)
	fault(s.Threshold < 0 || s.Threshold > 99, "threshold of %d percent is not 0 to 99", s.Threshold)
	fault(s.LeastThreshold < 0 || s.LowBalance < 0, "a threshold is negative")
	if s.Final != nil {
		faults = append(faults, s.Final.faults()...)
		fault(s.RestrictFor < time.Second || s.RestrictFor%time.Second != 0 || s.RestrictFor > maxSeconds*time.Second,
			"restriction for %v is not a whole number of seconds, at least one", s.RestrictFor)
	}
	fault(s.FailureHandling != nil && *s.FailureHandling > 2, "failure handling is none of 0 TERMINATE, 1 CONTINUE, 2 RETRY_AND_TERMINATE")
	return errors.Join(faults...)
}
