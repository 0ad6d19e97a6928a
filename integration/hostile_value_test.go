package integration

import (
	"math"
	"strings"
)

// valueAttacks are values that no right client sends: text that is none, numbers at their ends, addresses of nowhere. The shape of the
// message is right.
func valueAttacks() []attack {
	with := func(more ...avp) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte { return l.frame(v.request(l).with(more...)) }
	}
	replacing := func(a avp) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte { return l.frame(v.request(l).replacing(a)) }
	}
	called := func(number string) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			c := l.newCall(v.msisdn)
			c.called = number
			return l.frame(c.ccr(typeInitial, 0, service(100, wants(60))))
		}
	}
	payer := func(kind uint32, data string) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			return l.frame(v.request(l).without(subscriptionID).with(group(subscriptionID, u32(subscriptionType, kind), text(subscriptionData, data))))
		}
	}
	information := func(group3GPP avpCode, members ...avp) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			c := l.newCall(v.msisdn)
			if group3GPP == psInformation {
				c.context = dataContext
				return l.frame(c.ccr(typeInitial, 0, service(10, group(requested)), group(serviceInformation, group(group3GPP, members...))))
			}
			m := c.ccr(typeInitial, 0, service(100, wants(60))).without(serviceInformation)
			return l.frame(m.with(group(serviceInformation, group(group3GPP, append(members, text(calledParty, c.called))...))))
		}
	}
	long := strings.Repeat("9", 60_000)
	const sql = "1'; DROP TABLE subscriber; --"
	return together(
		[]attack{
			answeredWith("Session-Id that is empty", 5004, replacing(text(sessionID, ""))),
			survived("Session-Id of 60,000 octets", replacing(text(sessionID, long))),
			answeredWith("Session-Id that is no text", 5004, replacing(text(sessionID, "a;\xff\xfe;1"))),
			survived("Session-Id with a zero", replacing(text(sessionID, "a;\x00;1"))),
			survived("Session-Id with SQL", replacing(text(sessionID, sql))),
			survived("Session-Id behind everything else", func(l *link, v *victim) []byte {
				m := v.request(l)
				id, _ := m.find(sessionID)
				return l.frame(m.without(sessionID).with(id))
			}),
			survived("Origin-Host of 60,000 octets", replacing(text(originHost, long))),
			survived("Origin-Host with line feeds", replacing(text(originHost, "a\r\nb"))),
			survived("Origin-Host that is no text", replacing(text(originHost, "\xc3\x28"))),
			answeredWith("Destination-Realm that is empty", 3003, replacing(text(destinationRealm, ""))),
			answeredWith("Destination-Realm of 60,000 octets", 3003, replacing(text(destinationRealm, long))),
			answeredWith("Destination-Host of somebody else", 3002, with(text(destinationHost, "nowhere.test"))),
			answeredWith("our name in a Route-Record", 3005, with(text(routeRecord, serverHost))),
			survived("Service-Context-Id that is empty", replacing(text(serviceContextID, ""))),
			survived("Service-Context-Id of 60,000 octets", replacing(text(serviceContextID, long))),
			survived("Service-Context-Id of at signs", replacing(text(serviceContextID, "@@@@"))),
			survived("Service-Context-Id of full stops", replacing(text(serviceContextID, strings.Repeat(".", 1000)+"@3gpp.org"))),
			survived("Service-Context-Id with a format", replacing(text(serviceContextID, "%s%n%d@3gpp.org"))),
			survived("Service-Context-Id that is no text", replacing(text(serviceContextID, "\xff@3gpp.org"))),
		},
		every("CC-Request-Type %d", []uint32{0, 5, 1 << 31, math.MaxUint32}, func(name string, value uint32) attack {
			return answeredWith(name, 5004, replacing(u32(ccRequestType, value)))
		}),
		every("Auth-Application-Id %d", []uint32{0, 3, math.MaxUint32}, func(name string, value uint32) attack {
			return answeredWith(name, 5004, replacing(u32(authApplicationID, value)))
		}),
		every("CC-Request-Number %d", []uint32{1 << 31, math.MaxUint32}, func(name string, value uint32) attack {
			return answeredWith(name, 2001, replacing(u32(ccRequestNumber, value)))
		}),
		every("Event-Timestamp %d", []uint32{0, 1, 1 << 31, math.MaxUint32}, func(name string, value uint32) attack {
			return answeredWith(name, 2001, replacing(u32(eventTimestamp, value)))
		}),
		every("Rating-Group %d", []uint32{0, 1 << 31, math.MaxUint32}, func(name string, value uint32) attack {
			return survived(name, func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeInitial, 0, service(value, wants(60))))
			})
		}),
		every("%d seconds wanted", []uint32{1 << 31, math.MaxUint32}, func(name string, value uint32) attack {
			return answeredWith(name, 2001, func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeInitial, 0, service(100, wants(value))))
			})
		}),
		every("%d octets wanted of a call", []uint64{0, 1 << 63, math.MaxUint64}, func(name string, value uint64) attack {
			return survived(name, func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeInitial, 0, service(100, group(requested, u64(ccTotalOctets, value)))))
			})
		}),
		[]attack{
			{"usage of all seconds that there are", func(v *victim) {
				l := v.greeted()
				c := l.newCall(v.newSubscriber(v.t, 100))
				wantGrant(v.t, c.initial(0, service(100, wants(60))), 100, 60, false)
				c.update(1, service(100, uses(math.MaxUint32), uses(math.MaxUint32), wants(math.MaxUint32)))
				c.terminate(2, service(100, uses(math.MaxUint32)))
				v.wantAccount(v.t, c.msisdn, 0, 0)
			}},
			{"octets of data beyond any number", func(v *victim) {
				l := v.greeted()
				c := l.newCall(v.newSubscriber(v.t, 100))
				c.context = dataContext
				c.initial(0, service(10, group(requested)))
				c.update(1, service(10, group(used, u64(ccTotalOctets, math.MaxUint64)), group(used, u64(ccInputOctets, math.MaxUint64), u64(ccOutputOctets, math.MaxUint64))))
				c.terminate(2, service(10, group(used, u64(ccTotalOctets, math.MaxUint64))))
				v.wantNormalCall()
			}},
			survived("money of every size", with(service(100, group(requested, group(avpCode{413, 0}, group(unitValue, u64(valueDigits, 1<<63), u32(exponent, 1<<31)), u32(currencyCode, math.MaxUint32)))))),
			survived("a termination of nothing", func(l *link, v *victim) []byte { return l.frame(l.newCall(v.msisdn).ccr(typeTermination, 0)) }),
			survived("an update of nothing", func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeUpdate, 9, service(100, uses(math.MaxUint32))))
			}),
			survived("an event that does not say what", func(l *link, v *victim) []byte { return l.frame(l.newCall(v.msisdn).ccr(typeEvent, 0)) }),
			survived("an event of an action that is none", func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeEvent, 0, u32(requestedAction, math.MaxUint32)))
			}),
			survived("a refund of everything", func(l *link, v *victim) []byte {
				return l.frame(l.newCall(v.msisdn).ccr(typeEvent, 0, u32(requestedAction, actionRefund), group(requested, u64(ccUnits, math.MaxUint64)), text(refundInformation, sql)))
			}),
		},
		every("payer %q", []string{"", " ", "+", "abc", "49 170", sql, "\x00\x00", "\xff\xfe", "4917000000014917000000014917000000014917", "%s%s%s%n"}, func(name, data string) attack {
			return survived(name, payer(0, data))
		}),
		every("payer of type %d", []uint32{5, 9, math.MaxUint32}, func(name string, kind uint32) attack { return answeredWith(name, 5001, payer(kind, "491")) }),
		[]attack{
			survived("payer of 60,000 digits", payer(0, long)),
			survived("payer that is a SIP URI of 60,000 octets", payer(2, "sip:"+long+"@"+long[:100])),
			survived("payer that is a SIP URI of nothing", payer(2, "sip:")),
			survived("payer that is an NAI of at signs", payer(3, "@@@@@")),
		},
		every("called party %q", []string{"", "sip:", "tel:", "tel:+", "sip:@", "sip:;;;;@;;;", "tel:+49;phone-context=", "tel:" + sql, "urn:", "\xff\xfe\xfd", "sip:\x00@\x00", "sip:a@b@c@d", "tel:++++49", "%00%00%00"},
			func(name, number string) attack { return survived(name, called(number)) }),
		[]attack{
			survived("called party of 60,000 digits", called("tel:+"+long)),
			survived("called party with 20,000 parameters", called("tel:+4930"+strings.Repeat(";a=", 20_000))),
			survived("role that is none", information(imsInformation, u32(roleOfNode, math.MaxUint32))),
			survived("access network that is none", information(imsInformation, text(avpCode{1263, vendor3GPP}, "3GPP-E-UTRAN;utran-cell-id-3gpp="))),
			survived("access network with quotes", information(imsInformation, text(avpCode{1263, vendor3GPP}, `";;;utran-cell-id-3gpp="""`))),
			survived("access network of octets", information(imsInformation, octets(avpCode{1263, vendor3GPP}, 0xff, 0, 0xfe))),
			survived("serving network of letters", information(psInformation, text(avpCode{18, vendor3GPP}, "abcdef"))),
			survived("serving network of one digit", information(psInformation, text(avpCode{18, vendor3GPP}, "2"))),
			survived("time zone of one octet", information(psInformation, octets(avpCode{23, vendor3GPP}, 0xff))),
			survived("access technology of nothing", information(psInformation, octets(avpCode{21, vendor3GPP}))),
		},
		every("location of type %d", []byte{0, 1, 2, 128, 129, 130, 135, 136, 137, 255}, func(name string, kind byte) attack {
			return attack{name + ", of every length", func(v *victim) {
				l := v.greeted()
				for n := range 14 {
					b := append([]byte{kind}, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")[:n]...)
					wantCode(v.t, l.callBytes(information(psInformation, octets(avpCode{22, vendor3GPP}, b...))(l, v)), 2001)
				}
			}}
		}),
	)
}
