package integration

// headerAttacks are headers that lie (RFC 6733 §3, §7.1.3, §7.1.5; docs/spec/gy.md 1.5, checks 1 to 5).
func headerAttacks() []attack {
	twist := func(change func(m *message)) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			m := v.request(l)
			change(&m)
			return l.frame(m)
		}
	}
	lengthOf := func(length uint32) func(*link, *victim) []byte {
		return func(l *link, v *victim) []byte {
			b := l.frame(v.request(l))
			b[1], b[2], b[3] = byte(length>>16), byte(length>>8), byte(length)
			return b
		}
	}
	return together(
		every("version %d", []byte{0xff, 2, 3, 128}, func(name string, version byte) attack {
			return answeredWith(name, 5011, twist(func(m *message) { m.version = version }))
		}),
		[]attack{answeredWith("version 0", 5011, func(l *link, v *victim) []byte {
			b := l.frame(v.request(l))
			b[0] = 0
			return b
		})},
		every("length %d", []uint32{0, 1, 4, 8, 16, 19, 21, 22, 23, 65_540, 1 << 20, 1<<24 - 4, 1<<24 - 1}, func(name string, length uint32) attack {
			return closedAfter(name, 5015, lengthOf(length))
		}),
		[]attack{
			survived("a length that is four too short", func(l *link, v *victim) []byte {
				b := l.frame(v.request(l))
				b[3] -= 4
				return b
			}),
			survived("a length that ends in the middle", func(l *link, v *victim) []byte { return lengthOf(100)(l, v) }),
			survived("a length of a header only", func(l *link, v *victim) []byte { return lengthOf(20)(l, v) }),
			halfSaid("a length that is four too long", true, func(l *link, v *victim) []byte {
				b := l.frame(v.request(l))
				b[3] += 4
				return b
			}),
			halfSaid("a length of which nothing follows", true, func(l *link, v *victim) []byte { return lengthOf(65_536)(l, v)[:20] }),
			halfSaid("one octet of a header", true, func(*link, *victim) []byte { return []byte{1} }),
		},
		every("E bit, flags %#02x", []byte{0xa0, 0xe0, 0xb0, 0xff}, func(name string, flags byte) attack {
			return answeredWith(name, 3008, twist(func(m *message) { m.flags = flags }))
		}),
		every("reserved bits, flags %#02x", []byte{0xc1, 0xcf, 0xdf, 0x8f}, func(name string, flags byte) attack {
			return answeredWith(name, 2001, twist(func(m *message) { m.flags = flags }))
		}),
		every("command %d", []uint32{0, 1, 256, 258, 271, 274, 275, 273, 999, 1<<24 - 1}, func(name string, command uint32) attack {
			return answeredWith(name, 3001, twist(func(m *message) { m.command = command }))
		}),
		every("command %d of the base protocol", []uint32{0, 272, 275, 1<<24 - 1}, func(name string, command uint32) attack {
			return answeredWith(name, 3001, twist(func(m *message) { m.command, m.app = command, appBase }))
		}),
		every("application %d", []uint32{1, 3, 5, 99, 16777251, 1<<32 - 1}, func(name string, app uint32) attack {
			return answeredWith(name, 3007, twist(func(m *message) { m.app = app }))
		}),
		every("answer that nobody asked for, command %d", []uint32{257, 258, 272, 274, 280, 282, 999}, func(name string, command uint32) attack {
			return unanswered(name, twist(func(m *message) { m.flags, m.command, m.app = 0, command, appBase }))
		}),
		[]attack{
			unanswered("answer of version 2", twist(func(m *message) { m.flags, m.version = 0, 2 })),
			unanswered("answer with broken AVPs", func(l *link, v *victim) []byte {
				b := l.frame(message{command: cmdWatchdog, app: appBase, avps: l.origin()})
				b[25], b[26], b[27] = 0xff, 0xff, 0xff
				return b
			}),
			{"answer of length 8", func(v *victim) {
				l := v.greeted()
				b := l.frame(v.request(l))
				b[1], b[2], b[3], b[4] = 0, 0, 8, 0
				l.write(b)
				l.wantClosed(patience)
			}},
			answeredWith("a request without AVPs", 5005, func(l *link, _ *victim) []byte {
				return l.frame(message{flags: flagRequest | flagProxy, command: cmdCreditControl, app: appCreditControl})
			}),
			answeredWith("DWR with nothing in it", 2001, func(l *link, _ *victim) []byte {
				return l.frame(message{flags: flagRequest, command: cmdWatchdog})
			}),
			{"DPR with nothing in it", func(v *victim) {
				l := v.greeted()
				wantCode(v.t, l.callBytes(l.frame(message{flags: flagRequest, command: cmdDisconnect})), 2001)
			}},
			{"requests that all have the same ids", func(v *victim) {
				l := v.greeted()
				for range 50 {
					m := v.request(l)
					m.hop, m.end = 7, 7
					wantCode(v.t, l.await(m, l.startBytes(m.encode(), m)), 2001)
				}
			}},
		})
}
