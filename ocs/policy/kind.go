package policy

import (
	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/transfer"
)

// The keys of a kind and of its reversal, as policy.schema.json has them.
var (
	kindKeys = []string{
		"off", "least", "most", "step", "min_remaining", "receiver_cap", "fee_bearer", "receiver_consents", "reversal",
	}
	reversalKeys = []string{"way", "window", "decide", "fee_refunded", "persons", "persons_after", "claims"}
)

func (v value) kinds() map[transfer.Kind]transfer.KindRules {
	kinds := map[transfer.Kind]transfer.KindRules{}
	for name, entry := range v.entries("kinds of transfer") {
		k, before := transfer.Kind(name), v.Reader().Faults()
		rules, ok := entry.kind()
		if !ok {
			continue
		}
		entry.checked(before, func(p *transfer.Policy) { p.Kinds = map[transfer.Kind]transfer.KindRules{k: rules} })
		kinds[k] = rules
	}
	if len(kinds) == 0 {
		v.Faultf("no kind: without one nothing can be sent; transfers are stopped with enabled: false")
	}
	return kinds
}

func (v value) kind() (k transfer.KindRules, ok bool) {
	k = transfer.KindRules{Step: 60, Bearer: transfer.Originator, Reversal: transfer.ReversalRules{Way: transfer.NoReversal}}
	fields, ok := v.fields(kindKeys...)
	if !ok {
		return k, false
	}
	for _, key := range []string{"least", "most"} {
		if _, there := fields[key]; !there {
			v.Faultf("no %s", key)
			ok = false
		}
	}
	read := reader(fields)
	read("off", func(f value) { k.Off = f.Truth() })
	read("least", func(f value) { k.Least = f.quantity() })
	read("most", func(f value) { k.Most = f.quantity() })
	read("step", func(f value) { k.Step = f.quantity() })
	read("min_remaining", func(f value) { k.MinRemaining = f.quantity() })
	read("receiver_cap", func(f value) { k.ReceiverCap = f.quantity() })
	read("fee_bearer", func(f value) { k.Bearer = one(f, transfer.Originator, transfer.Receiver) })
	read("receiver_consents", func(f value) { k.ReceiverConsents = f.Truth() })
	read("reversal", func(f value) { k.Reversal = f.reversal() })
	return k, ok
}

// reversal reads how a transfer may be undone. What it does not name is as with p2p in the default.
func (v value) reversal() transfer.ReversalRules {
	r := transfer.Default().Kinds[transfer.P2P].Reversal
	fields, ok := v.fields(reversalKeys...)
	if !ok {
		return r
	}
	read := reader(fields)
	read("way", func(f value) { r.Way = one(f, transfer.NoReversal, transfer.Refund, transfer.Claim) })
	if r.Way != transfer.Claim {
		r = transfer.ReversalRules{Way: r.Way}
	}
	read("window", func(f value) { r.Window = f.time() })
	read("decide", func(f value) { r.Decide = f.time() })
	read("fee_refunded", func(f value) { r.FeeRefunded = f.Truth() })
	read("persons", func(f value) { r.Persons = int(f.Whole(2, 10)) })
	read("persons_after", func(f value) { r.PersonsAfter = int(f.Whole(2, 10)) })
	read("claims", func(f value) { r.Claims = int(f.Whole(1, 100)) })
	return r
}

// reader returns a function that reads a key where it is there.
func reader(fields map[string]value) func(key string, into func(value)) {
	return func(key string, into func(value)) {
		if field, ok := fields[key]; ok {
			into(field)
		}
	}
}

// The keys of a channel, as policy.schema.json has them.
var channelKeys = []string{"confirm", "confirm_above", "interactive"}

// channels reads the channels. What one does not name is as in the default.
func (v value) channels() map[transfer.Channel]transfer.ChannelRules {
	channels := map[transfer.Channel]transfer.ChannelRules{}
	usual := transfer.Default().Channels
	for name, entry := range v.entries("channels") {
		c, before := transfer.Channel(name), v.Reader().Faults()
		rules := usual[c]
		if fields, ok := entry.fields(channelKeys...); ok {
			read := reader(fields)
			read("confirm", func(f value) {
				rules.Step = one(f, transfer.NoStep, transfer.YesNo, transfer.PIN, transfer.PINAndID)
			})
			read("confirm_above", func(f value) { rules.StepAbove = f.quantity() })
			read("interactive", func(f value) { rules.Interactive = f.Truth() })
		}
		if rules.Step == "" {
			rules.Step = transfer.PIN
		}
		entry.checked(before, func(p *transfer.Policy) { p.Channels = map[transfer.Channel]transfer.ChannelRules{c: rules} })
		channels[c] = rules
	}
	if len(channels) == 0 {
		v.Faultf("no channel: without one nothing can be sent; transfers are stopped with enabled: false")
	}
	return channels
}

// The keys of a class of lots, as policy.schema.json has them.
var classKeys = []string{"movable", "kinds", "max_hops", "becomes"}

const maxHops = 1000

// classes reads the classes. hops is of those that name none.
func (v value) classes(expiry transfer.ExpiryRule, hops int) map[string]transfer.ClassRules {
	classes := map[string]transfer.ClassRules{}
	for name, entry := range v.entries("classes of lots") {
		before := v.Reader().Faults()
		if name == "" || len(name) > maxName {
			entry.Faultf("%q cannot name a class: use 1 to %d octets", yamltext.Clip(name), maxName)
		}
		rules, ok := entry.class(hops)
		if !ok {
			continue
		}
		entry.checked(before, func(p *transfer.Policy) {
			p.Classes, p.Expiry = map[string]transfer.ClassRules{name: rules}, transfer.ExpiryRule{Mode: expiry.Mode, Days: 1, Life: 1, Band: []transfer.DaysBand{{Days: 1}}}
		})
		classes[name] = rules
	}
	if len(classes) == 0 {
		v.Faultf("no class: without one nothing can be sent")
	}
	return classes
}

func (v value) class(hops int) (c transfer.ClassRules, ok bool) {
	fields, ok := v.fields(classKeys...)
	if !ok {
		return c, false
	}
	read := reader(fields)
	read("movable", func(f value) { c.Movable = f.Truth() })
	if !c.Movable {
		for _, key := range classKeys[1:] {
			read(key, func(f value) {
				f.Faultf("what is not for sending has no rules: add movable: true, or leave %s out", key)
			})
		}
		return c, true
	}
	c.MaxHops = hops
	read("kinds", func(f value) { c.Kinds = some(f, transfer.Kinds()...) })
	read("max_hops", func(f value) { c.MaxHops = int(f.Whole(0, maxHops)) })
	read("becomes", func(f value) {
		c.Becomes = map[transfer.Kind]string{}
		for kind, class := range f.entries("kinds of transfer") {
			c.Becomes[transfer.Kind(kind)], _ = class.Text()
		}
	})
	return c, true
}
