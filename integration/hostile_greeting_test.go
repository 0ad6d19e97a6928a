package integration

import (
	"bytes"
	"net"
	"strings"
)

// greetingAttacks are what comes before capabilities are exchanged, or in their place. Whoever does not begin with a CER is cut off
// without a word (docs/spec/gy.md 1.2); a CER that is no good is answered, and the connection closed (1.3).
func greetingAttacks() []attack {
	octets := func(b []byte) func(*link) []byte { return func(*link) []byte { return b } }
	twist := func(change func(m message) message) func(*link) []byte {
		return func(l *link) []byte { return l.frame(change(l.cer())) }
	}
	without := func(code avpCode) func(*link) []byte {
		return twist(func(m message) message { return m.without(code) })
	}
	tls := append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, make([]byte, 507)...)
	return together([]attack{
		{"connects and leaves", func(v *victim) { v.raw().drop() }},
		{"connects and resets", func(v *victim) {
			l := v.raw()
			if err := l.conn.(*net.TCPConn).SetLinger(0); err != nil {
				v.t.Fatal(err)
			}
			l.drop()
		}},
		{"connects and says that it has nothing to say", func(v *victim) {
			l := v.raw()
			if err := l.conn.(*net.TCPConn).CloseWrite(); err != nil {
				v.t.Fatal(err)
			}
			l.wantClosed(patience)
		}},
		halfSaid("one octet of a CER", false, func(l *link, _ *victim) []byte { return l.frame(l.cer())[:1] }),
		halfSaid("nineteen octets of a CER", false, func(l *link, _ *victim) []byte { return l.frame(l.cer())[:19] }),
		halfSaid("the header of a CER", false, func(l *link, _ *victim) []byte { return l.frame(l.cer())[:20] }),
		halfSaid("a CER without its last octet", false, func(l *link, _ *victim) []byte {
			b := l.frame(l.cer())
			return b[:len(b)-1]
		}),
		rejected("an HTTP request", octets([]byte("GET / HTTP/1.1\r\nHost: ocs.test\r\n\r\n"))),
		rejected("an SSH banner", octets([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))),
		rejected("a SIP request", octets([]byte("OPTIONS sip:ocs.test SIP/2.0\r\nMax-Forwards: 70\r\n\r\n"))),
		rejected("a TLS handshake", octets(tls)),
		rejected("a thousand zeros", octets(make([]byte, 1000))),
		rejected("a thousand ones", octets(bytes.Repeat([]byte{0xff}, 1000))),
		rejected("a book of text", octets([]byte(strings.Repeat("All happy families are alike. ", 3000)))),
		rejected("DWR first", func(l *link) []byte { return l.frame(l.dwr()) }),
		rejected("DPR first", func(l *link) []byte { return l.frame(l.dpr(0)) }),
		rejected("CCR first", func(l *link) []byte { return l.frame(l.newCall("").ccr(typeInitial, 0)) }),
		rejected("CEA first", func(l *link) []byte {
			m := l.cer()
			m.flags = 0
			return l.frame(m)
		}),
		rejected("ASR first", func(l *link) []byte {
			return l.frame(message{flags: flagRequest | flagProxy, command: cmdAbort, app: appCreditControl, avps: l.origin()})
		}),
		refusedCER("CER of version 2", 5011, twist(func(m message) message { m.version = 2; return m })),
		refusedCER("CER without Origin-Host", 5005, without(originHost)),
		refusedCER("CER without Origin-Realm", 5005, without(originRealm)),
		refusedCER("CER without Host-IP-Address", 5005, without(hostIPAddress)),
		refusedCER("CER without Vendor-Id", 5005, without(vendorID)),
		refusedCER("CER without Product-Name", 5005, without(productName)),
		refusedCER("CER without an application", 5010, without(authApplicationID)),
		refusedCER("CER without anything", 5005, twist(func(m message) message { m.avps = nil; return m })),
		refusedCER("CER of another application", 5010, twist(func(m message) message { return m.replacing(u32(authApplicationID, 16777251)) })),
		refusedCER("CER with the E bit", 3008, twist(func(m message) message { m.flags |= flagError; return m })),
		refusedCER("CER in application 4", 3001, twist(func(m message) message { m.app = appCreditControl; return m })),
		refusedCER("CER for TLS in band only", 5017, twist(func(m message) message { return m.with(u32(inbandSecurityID, 1)) })),
		refusedCER("CER with an Origin-Host of seven octets too few", 5014, func(l *link) []byte {
			return mended(append(l.frame(l.cer()), withAVPLength(text(originHost, "x").encode(), 1)...))
		}),
		refusedCER("CER whose Vendor-Id has eight octets", 5014, twist(func(m message) message { return m.replacing(u64(vendorID, 1)) })),
		refusedCER("CER that ends in stray octets", 5014, func(l *link) []byte { return mended(append(l.frame(l.cer()), 1, 2, 3, 4)) }),
	},
		every("CER of length %d", []uint32{0, 4, 19, 21, 70_000, 1<<24 - 4}, func(name string, length uint32) attack {
			return refusedCER(name, 5015, func(l *link) []byte {
				b := l.frame(l.cer())
				b[1], b[2], b[3] = byte(length>>16), byte(length>>8), byte(length)
				return b
			})
		}),
		every("CER of Origin-Host %q", []string{"", "..", "a\x00b", "a\nb", "\xff\xfe", strings.Repeat("x", 10_000), "$(reboot)"}, strangeHost),
		[]attack{
			{"CER with five thousand applications", func(v *victim) {
				l, many := v.raw(), []avp(nil)
				for i := range uint32(5000) {
					many = append(many, u32(authApplicationID, 1000+i))
				}
				wantCode(v.t, l.call(l.cer(many...)), 2001)
				l.wantOpen()
			}},
			{"CER octet by octet", func(v *victim) {
				l := v.raw()
				wantCode(v.t, l.await(message{}, l.octetByOctet(l.frame(l.cer()))), 2001)
				l.wantOpen()
			}},
			{"CER twice in one segment", func(v *victim) {
				l := v.raw()
				first, second := l.frame(l.cer()), l.frame(l.cer())
				answer := l.startBytes(append(first, second...), message{})
				wantCode(v.t, l.await(message{}, answer), 2001)
				l.wantOpen()
			}},
			{"CER and then a CER of another host", func(v *victim) {
				l := v.greeted()
				l.host = "somebody.else.test"
				l.write(l.frame(l.cer()))
				l.wantClosed(patience)
			}},
		})
}

// strangeHost: a name that nobody has. It may be taken or refused; nothing else may happen.
func strangeHost(name string, host string) attack {
	return attack{name[:min(len(name), 60)], func(v *victim) {
		l := v.raw()
		l.write(l.frame(l.cer().replacing(text(originHost, host))))
		select {
		case cea := <-l.inbox:
			for _, fault := range faultsOf(message{}, cea) {
				v.t.Errorf("%s\nin %v", fault, cea)
			}
		case <-l.gone:
		}
		l.drop()
	}}
}

// octetByOctet sends a frame in as many writes as it has octets.
func (l *link) octetByOctet(frame []byte) <-chan message {
	answer := l.startBytes(frame[:20], message{})
	for i := range frame[20:] {
		l.write(frame[20+i : 21+i])
	}
	return answer
}
