package main

import (
	"maps"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// Credit-Control-Failure-Handling (RFC 8506 §8.14).
const (
	failTerminate = iota
	failContinue
	retryAndTerminate
)

// voice, data and message services, before the operator changes anything. The sizes are project decisions of the
// protocol specification: a minute of voice with five minutes of ringing, ten megabytes, one message.
func serviceOf(kind rating.Kind) ocs.Service {
	switch kind {
	case rating.Voice:
		return ocs.Service{
			Kind: rating.Voice, Measure: rating.Seconds, DefaultQuota: 60, MaxQuota: 3600,
			Ringing: 5 * time.Minute, Supervision: 10 * time.Minute,
			Threshold: 20, LeastThreshold: 10, LowBalance: 60, Partial: time.Hour,
		}
	case rating.Data:
		return ocs.Service{
			Kind: rating.Data, Measure: rating.Octets, DefaultQuota: 10_000_000, MaxQuota: 1_000_000_000,
			Validity: time.Hour, Supervision: 2 * time.Hour, Threshold: 20, DenyInside: true, Partial: time.Hour,
		}
	case rating.Message:
		return ocs.Service{
			Kind: rating.Message, Measure: rating.Events, DefaultQuota: 1, MaxQuota: 100,
			Validity: time.Hour, Supervision: 2 * time.Hour,
		}
	}
	return ocs.Service{}
}

// defaultServices are the service contexts of 3GPP that Gyro knows (TS 32.299 §7.1.12).
func defaultServices() map[string]ocs.Service {
	services := make(map[string]ocs.Service)
	for name, kind := range map[string]rating.Kind{
		"32260@3gpp.org": rating.Voice,   // IMS, TS 32.260
		"32275@3gpp.org": rating.Voice,   // MMTel, TS 32.275
		"32276@3gpp.org": rating.Voice,   // circuit-switched, TS 32.276
		"32251@3gpp.org": rating.Data,    // packet data, TS 32.251
		"32274@3gpp.org": rating.Message, // SMS, TS 32.274
		"32270@3gpp.org": rating.Message, // MMS, TS 32.270
	} {
		s := serviceOf(kind)
		s.Name = name
		services[name] = s
	}
	return services
}

// serviceSettings are the keys of one service.
func serviceSettings(s *ocs.Service) []setting {
	const most = rating.Units(math.MaxInt64)
	const longest = 365 * 24 * time.Hour
	return []setting{
		{"kind", "", choice(&s.Kind, rating.Voice, rating.Data, rating.Message)},
		{"unit", "", choice(&s.Measure, rating.Seconds, rating.Octets, rating.Events)},
		{"default_quota", "", whole(&s.DefaultQuota, 1, most)},
		{"max_quota", "", whole(&s.MaxQuota, 1, most)},
		{"validity", "", span(&s.Validity, 0, longest)},
		{"ringing", "", span(&s.Ringing, 0, longest)},
		{"supervision", "", span(&s.Supervision, time.Second, longest)},
		{"denial_level", "", oneOf("word", map[string]bool{"command": false, "mscc": true}, &s.DenyInside)},
		{"threshold_percent", "", whole(&s.Threshold, 0, 99)},
		{"least_threshold", "", whole(&s.LeastThreshold, 0, most)},
		{"low_balance", "", whole(&s.LowBalance, 0, most)},
		{"partial", "", span(&s.Partial, 0, longest)},
		{"failure_handling", "", oneOf("word", map[string]*uint8{
			"default": nil, "terminate": new(uint8(failTerminate)), "continue": new(uint8(failContinue)),
			"retry_and_terminate": new(uint8(retryAndTerminate)),
		}, &s.FailureHandling)},
		{"free_call", "", oneOf("word", map[string]bool{"grant": false, "4011": true}, &s.FreeIsUncontrolled)},
	}
}

// oneOf is a word that stands for something else.
func oneOf[T any](name string, meanings map[string]T, p *T) value {
	var word string
	names := slices.Sorted(maps.Keys(meanings))
	inner := choice(&word, names...).(scalarValue)
	return scalarValue{
		name: name,
		parse: func(s string) error {
			if err := inner.parse(s); err != nil {
				return err
			}
			*p = meanings[s]
			return nil
		},
		text: func() string { return word },
	}
}

// servicesValue is the table of services by context. What is set goes over what is there.
type servicesValue struct{ p *map[string]ocs.Service }

func (servicesValue) structured()    {}
func (servicesValue) kind() string   { return "yaml" }
func (servicesValue) String() string { return "" }

func (v servicesValue) set(r nodeReader, key string, n *yaml.Node) {
	services := maps.Clone(*v.p)
	r.mapping(key, n, func(name string, at, value *yaml.Node) {
		path := join(key, name)
		r.places[path] = r.at(at)
		s, known := services[name]
		if kind, given := kindIn(value); given && kind != s.Kind {
			s = serviceOf(kind)
		} else if !known && !given {
			r.fault(at, path, "is not a service context that is known; kind must say what it is: voice, data or message")
			return
		}
		s.Name = name
		profile := profileOf(s)
		r.named(path, value, append(serviceSettings(&s), profile.settings(&s)...))
		profile.give(&s, func(key, format string, args ...any) { r.fault(value, join(path, key), format, args...) })
		services[name] = s
	})
	*v.p = services
}

// kindIn returns the kind that a service says it is: the defaults of its other keys follow from it.
func kindIn(n *yaml.Node) (rating.Kind, bool) {
	n = resolve(n)
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == "kind" {
			return rating.Kind(n.Content[i+1].Value), true
		}
	}
	return "", false
}

// named reads a mapping that has exactly the keys of settings, which are told with path before them.
func (r nodeReader) named(path string, n *yaml.Node, settings []setting) {
	r.mapping(path, n, func(name string, key, value *yaml.Node) {
		for _, s := range settings {
			if s.key == name {
				s.value.set(r, join(path, name), value)
				return
			}
		}
		r.fault(key, join(path, name), "is not a key%s", suggestion(name, settings))
	})
}
