package api

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// Limits bound what the holders of keys move by grants and corrections, by the name of the role and the unit. Money has one
// row for all currencies, "money". A role without rows is not limited.
type Limits map[string]map[string]Limit

// A Limit is in units, without sign.
type Limit struct {
	Alone rating.Units `json:"alone" doc:"most of one act without a second person"`
	Day   rating.Units `json:"day" doc:"most in one day (UTC) without a second person"`
	Most  rating.Units `json:"most" doc:"most of one act with a second person, who must be allowed as much"`
}

// LimitOfRole is a limit with its unit.
type LimitOfRole struct {
	Unit string `json:"unit" doc:"seconds, octets, events, or money for the minor units of any currency"`
	Limit
}

// moneyUnit stands for all currencies.
const moneyUnit = "money"

// DefaultLimits let an agent give an hour away alone, and a supervisor ten.
func DefaultLimits() Limits {
	of := func(alone rating.Units) Limit { return Limit{Alone: alone, Day: 10 * alone, Most: 100 * alone} }
	limits := Limits{}
	for name, factor := range map[string]rating.Units{"agent": 1, "supervisor": 10} {
		limits[name] = map[string]Limit{
			string(rating.Seconds): of(factor * 3600), string(rating.Octets): of(factor << 30), string(rating.Events): of(factor * 100),
			moneyUnit: of(factor * 500),
		}
	}
	return limits
}

// Validate returns why l cannot be right.
func (l Limits) Validate() error {
	for name, units := range l {
		if parseRole(name) == nobody {
			return fmt.Errorf("limits: %q is no role; there are %s", name, strings.Join(roleNames, ", "))
		}
		for unit, limit := range units {
			if !slices.Contains([]string{string(rating.Seconds), string(rating.Octets), string(rating.Events), moneyUnit}, unit) {
				return fmt.Errorf("limits of %s: %q is no unit; there are seconds, octets, events and money", name, unit)
			}
			if limit.Alone < 0 || limit.Day < 0 || limit.Most < limit.Alone {
				return fmt.Errorf("limits of %s, %s: none is below 0, and most is not below alone", name, unit)
			}
		}
	}
	return nil
}

// limit returns that of a role for a unit.
func (l Limits) limit(of role, unit rating.Unit) Limit {
	none := Limit{Alone: math.MaxInt64, Day: math.MaxInt64, Most: math.MaxInt64}
	units, limited := l[of.String()]
	if !limited {
		return none
	}
	name := string(unit)
	if len(name) == 3 && strings.ToUpper(name) == name { // ISO 4217
		name = moneyUnit
	}
	return units[name] // none in a unit that has no row
}

// limitsOf tells the limits of a role, by unit.
func (s *server) limitsOf(r role) []LimitOfRole {
	told := []LimitOfRole{}
	for unit, limit := range s.Limits[r.String()] {
		told = append(told, LimitOfRole{unit, limit})
	}
	slices.SortFunc(told, func(a, b LimitOfRole) int { return strings.Compare(a.Unit, b.Unit) })
	return told
}
