package integration

import "slices"

// avpAttacks are AVPs that lie about themselves, are missing, are too many, or stand where they must not (RFC 6733 §4.1, §7.1.5;
// docs/spec/gy.md 1.5, checks 6, 7 and 12 to 17, and 1.7).
func avpAttacks() []attack {
	behind := func(octets ...byte) func(*link, *victim) []byte { // a right request with more behind it
		return func(l *link, v *victim) []byte { return mended(append(l.frame(v.request(l)), octets...)) }
	}
	with := func(more ...avp) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte { return l.frame(v.request(l).with(more...)) }
	}
	without := func(code avpCode) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte { return l.frame(v.request(l).without(code)) }
	}
	spoilt := func(code avpCode, data ...byte) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte { return l.frame(v.request(l).replacing(octets(code, data...))) }
	}
	member := func(inner ...byte) func(*link, *victim) []byte { // octets as the value of an MSCC
		return with(octets(mscc, inner...))
	}
	name := text(userName, "abcdefgh").encode()
	vendor := text(avpCode{65001, 9999}, "abcdefgh").optional().encode()
	nested := func(code avpCode, depth int) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			a := u32(ccTime, 1)
			for range depth {
				a = group(code, a)
			}
			return l.frame(v.request(l).with(a))
		}
	}
	many := func(n int, a avp) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			all := make([]avp, n)
			for i := range all {
				all[i] = a
			}
			return l.frame(v.request(l).with(all...))
		}
	}
	return together(
		every("AVP Length %d", []uint32{0, 1, 4, 7, 17, 100, 65_535, 1<<24 - 1}, func(name2 string, length uint32) attack {
			return answeredWith(name2, 5014, behind(withAVPLength(name, length)...))
		}),
		every("AVP Length %d with V", []uint32{0, 8, 11, 21, 1<<24 - 1}, func(name string, length uint32) attack {
			return answeredWith(name, 5014, behind(withAVPLength(vendor, length)...))
		}),
		every("%d stray octets", []int{4}, func(name string, n int) attack { return answeredWith(name, 5014, behind(make([]byte, n)...)) }),
		[]attack{
			answeredWith("V bit without room for a vendor", 5014, behind(0, 0, 0xfd, 0xe9, 0x80, 0, 0, 8)),
			answeredWith("V bit and Vendor-Id 0", 3009, behind(0, 0, 0, 1, 0xc0, 0, 0, 16, 0, 0, 0, 0, 'a', 'b', 'c', 'd')),
			answeredWith("V bit and Vendor-Id 0 in a group", 3009, member(0, 0, 1, 0xb0, 0xc0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1)),
			answeredWith("padding that is not zero", 2001, behind(0, 0, 0, 1, 0x40, 0, 0, 9, 'a', 0xff, 0xfe, 0xfd)),
			answeredWith("every flag of an AVP", 5001, behind(0, 0, 0xfd, 0xe8, 0x7f, 0, 0, 8)),
			answeredWith("an AVP that is empty", 2001, behind(0, 0, 0xfd, 0xe8, 0, 0, 0, 8)),
		},
		every("MSCC of %d octets", []int{1, 3, 4, 7}, func(name string, n int) attack { return answeredWith(name, 5014, member(make([]byte, n)...)) }),
		[]attack{
			answeredWith("MSCC whose member is longer than it", 5014, member(0, 0, 1, 0xb0, 0x40, 0, 0, 16, 0, 0, 0, 1)),
			answeredWith("MSCC whose member has length 0", 5014, member(0, 0, 1, 0xb0, 0x40, 0, 0, 0)),
			answeredWith("MSCC whose member has length 7", 5014, member(0, 0, 1, 0xb0, 0x40, 0, 0, 7)),
			answeredWith("Rating-Group of eight octets", 5014, with(group(mscc, u64(ratingGroup, 1)))),
			answeredWith("CC-Time of eight octets", 5014, with(group(mscc, group(requested, u64(ccTime, 1))))),
			answeredWith("CC-Total-Octets of four octets", 5014, with(group(mscc, group(requested, u32(ccTotalOctets, 1))))),
			answeredWith("Subscription-Id that is no group", 5014, with(text(subscriptionID, "491"))),
			answeredWith("Subscription-Id without a type", 5005, with(group(subscriptionID, text(subscriptionData, "491")))),
			answeredWith("Subscription-Id without data", 5005, with(group(subscriptionID, u32(subscriptionType, 0)))),
			answeredWith("Service-Information that is no group", 5014, with(text(serviceInformation, "hello"))),
			answeredWith("Proxy-Info that is no group", 2001, with(text(proxyInfo, "hello"))),                      // nobody looks into it: it goes back as it is
			answeredWith("three Origin-Hosts", 5009, with(text(originHost, "a.test"), text(originHost, "b.test"))), // Kamailio sends two
			answeredWith("three Origin-Realms", 5009, with(text(originRealm, "a.test"), text(originRealm, "b.test"))),
		},
		every("CC-Request-Number of %d octets", []int{0, 1, 3, 5, 8}, func(name string, n int) attack {
			return answeredWith(name, 5014, spoilt(ccRequestNumber, make([]byte, n)...))
		}),
		every("CC-Request-Type of %d octets", []int{0, 3, 8}, func(name string, n int) attack {
			return answeredWith(name, 5014, spoilt(ccRequestType, make([]byte, n)...))
		}),
		every("Event-Timestamp of %d octets", []int{0, 3, 8}, func(name string, n int) attack {
			return answeredWith(name, 5014, spoilt(eventTimestamp, make([]byte, n)...))
		}),
		every("CC-Sub-Session-Id of %d octets", []int{0, 4, 12}, func(name string, n int) attack {
			return answeredWith(name, 5014, with(octets(ccSubSessionID, make([]byte, n)...)))
		}),
		every("MSCC in MSCC, %d deep", []int{17, 100, 1000, 5000}, func(name string, depth int) attack {
			return answeredWith(name, 5014, nested(mscc, depth))
		}),
		every("Failed-AVP in Failed-AVP, %d deep", []int{17, 1000}, func(name string, depth int) attack {
			return answeredWith(name, 5014, nested(failedAVP, depth))
		}),
		[]attack{
			survived("unknown groups, 5000 deep", nested(avpCode{65000, 0}, 5000)),
			survived("groups of a vendor that nobody knows, 3000 deep", nested(avpCode{1, 9999}, 3000)),
			answeredWith("a thousand Proxy-Infos", 2001, many(1000, group(proxyInfo, text(proxyHost, "p.test"), octets(proxyState, 1)))),
			answeredWith("three thousand Route-Records", 2001, many(3000, text(routeRecord, "r.test"))),
			survived("a thousand MSCCs", many(1000, service(100, wants(1)))),
			survived("a thousand Subscription-Ids", many(1000, e164("491799999999"))),
			survived("two thousand Service-Identifiers", func(l *link, v *victim) []byte {
				var all []avp
				for i := range uint32(2000) {
					all = append(all, u32(serviceID, i))
				}
				return l.frame(v.request(l).with(service(100, append(all, wants(1))...)))
			}),
			survived("three thousand Used-Service-Units", func(l *link, v *victim) []byte {
				var all []avp
				for range 3000 {
					all = append(all, uses(1))
				}
				return l.frame(v.request(l).with(service(100, all...)))
			}),
			answeredWith("five thousand AVPs that nobody knows", 2001, many(5000, text(unknownAVP, "").optional())),
		},
		every("without %v", []avpCode{originHost, originRealm, destinationRealm, authApplicationID, serviceContextID, ccRequestType, ccRequestNumber, sessionID},
			func(name string, code avpCode) attack { return answeredWith(name, 5005, without(code)) }),
		every("twice %v", []avpCode{destinationRealm, authApplicationID, serviceContextID, ccRequestType, ccRequestNumber, sessionID},
			func(name string, code avpCode) attack {
				return answeredWith(name, 5009, func(l *link, v *victim) []byte {
					m := v.request(l)
					a, _ := m.find(code)
					return l.frame(m.with(a))
				})
			}),
		every("%v in a request", []avpCode{resultCode, ccSessionFailover}, func(name string, code avpCode) attack {
			return answeredWith(name, 5008, with(u32(code, 1)))
		}),
		every("unknown AVP with M %s", []string{"at command level", "in an MSCC", "in a Subscription-Id", "in a Requested-Service-Unit"}, func(name, place string) attack {
			a := text(unknownAVP, "hm")
			switch place {
			case "in an MSCC":
				a = service(100, wants(1), a)
			case "in a Subscription-Id":
				a = group(subscriptionID, u32(subscriptionType, 0), text(subscriptionData, "491"), a)
			case "in a Requested-Service-Unit":
				a = service(100, group(requested, u32(ccTime, 1), a))
			}
			return answeredWith(name, 5001, with(a))
		}),
		[]attack{{"cut off at every word", func(v *victim) {
			l := v.greeted()
			whole := v.request(l).encode()
			for n := 20; n < len(whole); n += 4 {
				frame := append([]byte(nil), whole[:n]...)
				frame[15] = byte(n) // Hop-by-Hop id
				answer := l.await(message{}, l.startBytes(mended(frame), message{}))
				if !slices.Contains([]uint32{5014, 5005, 5030, 5031, 2001}, answer.resultCode()) { // nobody pays, nobody is called
					v.t.Errorf("cut to %d octets: got %v", n, answer)
				}
			}
			l.wantOpen()
		}}, {"every octet in turn is inverted", func(v *victim) {
			l := v.greeted()
			l.silent.Store(true)
			whole := v.request(l).encode()
			for i := 20; i < len(whole); i++ {
				frame := append([]byte(nil), whole...)
				frame[i] ^= 0xff
				l.write(frame)
			}
			l.send(l.dwr())
			l.drain()
		}}, {"every AVP in turn has every wrong length", func(v *victim) {
			l := v.greeted()
			l.silent.Store(true)
			m := v.request(l)
			m.flags |= flagRetry
			for i := range m.avps {
				start := 20
				for _, a := range m.avps[:i] {
					start += len(a.encode())
				}
				for _, length := range []byte{0, 7, 8, 11, 12, 255} {
					frame := m.encode()
					frame[start+5], frame[start+6], frame[start+7] = 0, 0, length
					l.write(frame)
				}
			}
			l.send(l.dwr())
			l.drain()
		}}},
	)
}
