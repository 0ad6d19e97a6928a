package main

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A serviceProfile is what the clients of a service are told beside a quota, key by key. The core has it in groups, each of which is
// there or not.
type serviceProfile struct {
	final   ocs.FinalUnits
	extras  ocs.Extras
	holding string // duration, or "default"
	trigger []string

	consumption time.Duration

	announceStart, announceFinal, announceRefused int64
	finalBefore                                   time.Duration
	language                                      string
}

// profileOf takes the profile of s apart.
func profileOf(s ocs.Service) *serviceProfile {
	p := &serviceProfile{holding: "default"}
	if s.Final != nil {
		p.final = *s.Final
	}
	if e := s.Extras; e != nil {
		p.extras = *e
		p.consumption = time.Duration(e.ConsumptionTime) * time.Second
		if e.HoldingTime != nil {
			p.holding = (time.Duration(*e.HoldingTime) * time.Second).String()
		}
		for _, kind := range e.Triggers {
			p.trigger = append(p.trigger, strconv.FormatUint(uint64(kind), 10))
		}
		if e.Arm && len(e.Triggers) == 0 {
			p.trigger = []string{"none"}
		}
	}
	if a := s.Announce; a != nil {
		p.announceStart, p.announceFinal, p.announceRefused = int64(a.Start), int64(a.Final), int64(a.Refused)
		p.finalBefore, p.language = time.Duration(a.FinalBefore)*time.Second, a.Language
	}
	return p
}

// settings are its keys, and those of s that belong to them.
func (p *serviceProfile) settings(s *ocs.Service) []setting {
	const day = 24 * time.Hour
	return []setting{
		{"tariff_change", "", oneOf("word", map[string]bool{"end": false, "tell": true}, &s.TariffChange)},
		{"final_action", "", oneOf("word", map[string]ocs.FinalAction{
			"terminate": ocs.Terminate, "redirect": ocs.Redirect, "restrict": ocs.RestrictAccess,
		}, &p.final.Action)},
		{"redirect_to", "", text(&p.final.To)},
		{"restrict_rules", "", list(&p.final.Rules)},
		{"restrict_filters", "", list(&p.final.Filters)},
		{"restrict_for", "", span(&s.RestrictFor, 0, 365*day)},
		{"restrict_again", "", oneOf("word", map[string]bool{"refuse": false, "repeat": true}, &s.RestrictAgain)},
		{"rfc8506", "", truth(&p.final.QoS)},
		{"holding_time", "", text(&p.holding)},
		{"consumption_time", "", span(&p.consumption, 0, day)},
		{"triggers", "", list(&p.trigger)},
		{"tell_cost", "", truth(&s.TellCost)},
		{"tell_balance", "", truth(&s.TellBalance)},
		{"announce_start", "", whole(&p.announceStart, 0, math.MaxUint32)},
		{"announce_final", "", whole(&p.announceFinal, 0, math.MaxUint32)},
		{"announce_final_before", "", span(&p.finalBefore, 0, day)},
		{"announce_refused", "", whole(&p.announceRefused, 0, math.MaxUint32)},
		{"announce_language", "", text(&p.language)},
	}
}

// give puts the profile into s, or tells what is wrong with it.
func (p *serviceProfile) give(s *ocs.Service, fault func(key, format string, args ...any)) {
	s.Final, s.Extras, s.Announce = nil, nil, nil
	if p.final.Action != ocs.Terminate {
		s.Final = new(p.final)
		if s.RestrictFor == 0 {
			s.RestrictFor = defaultRestriction
		}
	}
	e := ocs.Extras{ConsumptionTime: seconds32(p.consumption)}
	if p.holding != "" && p.holding != "default" {
		held, err := time.ParseDuration(p.holding)
		if err != nil || held < 0 || held > 365*24*time.Hour || held%time.Second != 0 {
			fault("holding_time", "%q is neither default nor a duration of whole seconds", p.holding)
		}
		e.HoldingTime = new(seconds32(held))
	}
	e.Arm = len(p.trigger) > 0
	if len(p.trigger) != 1 || p.trigger[0] != "none" {
		for _, word := range p.trigger {
			kind, err := strconv.ParseUint(word, 10, 32)
			if err != nil {
				fault("triggers", "%q is no Trigger-Type of TS 32.299 §7.2.236; none alone disarms all", word)
				continue
			}
			e.Triggers = append(e.Triggers, uint32(kind))
		}
		if err := mixedTriggers(e.Triggers); err != nil {
			fault("triggers", "%w", err)
		}
	}
	if e.HoldingTime != nil || e.ConsumptionTime > 0 || e.Arm {
		s.Extras = &e
	}
	if p.announceStart+p.announceFinal+p.announceRefused > 0 {
		s.Announce = &ocs.Announcements{
			Start: uint32(p.announceStart), Final: uint32(p.announceFinal), Refused: uint32(p.announceRefused), //nolint:gosec // G115: bounded by settings
			FinalBefore: seconds32(p.finalBefore), Language: p.language,
		}
	}
}

// defaultRestriction is how long a client waits that restricts access, before it asks whether there is more.
const defaultRestriction = 5 * time.Minute

func seconds32(d time.Duration) uint32 { return uint32(d / time.Second) } //nolint:gosec // G115: bounded by settings

// mixedTriggers refuses what says the same twice: any change of QoS beside single parameters, any of location beside single ones.
func mixedTriggers(kinds []uint32) error {
	var qos, location, oneQoS, oneLocation bool
	for _, kind := range kinds {
		qos = qos || kind == 2
		location = location || kind == 3
		oneQoS = oneQoS || kind >= 10 && kind <= 24
		oneLocation = oneLocation || kind >= 30 && kind <= 36
	}
	if qos && oneQoS || location && oneLocation {
		return errors.New("2 does not go with 10 to 24, nor 3 with 30 to 36")
	}
	return nil
}
