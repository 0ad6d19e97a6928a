package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// step is where a call stands: which of its requests is sent next, or awaits its answer.
type step int

// A call is I, U, U, T: a minute granted, used and reported twice, and the end of the call in the third.
const (
	initial step = iota
	firstUpdate
	secondUpdate
	termination
	steps
)

// names of the steps' request types, as they are reported: both updates are one type.
var typeOf = [steps]int{0, 1, 1, 2}

var typeNames = [...]string{"initial", "update", "termination"}

// Placeholders of a template. The first ones are as long as what replaces them.
const (
	msisdnPlace  = "MSISDN-PLACE" // 491500000000 and up
	imsiPlace    = "IMSI-PLACE-HERE"
	calledPlace  = "CALLED-PLACE!" // +49301000000 and up
	sessionPlace = "SESSION-PLACE-20-OCT"
	usedPlace    = 0xfeedf00d
	timePlace    = 0xfeedbeef
)

// A template is a Credit-Control-Request, encoded once. What differs from call to call has a fixed place and length.
type template struct {
	frame   []byte
	session []int
	msisdn  []int
	imsi    []int
	called  []int
	time    []int
	used    []int
}

// newTemplates makes the four requests of a call, as the application server of an IMS sends them: some 800 octets.
// run distinguishes the Session-Ids of one run from those of another.
func newTemplates(host, realm, destinationRealm string, run uint32) (all [steps]template) {
	for s := range steps {
		all[s] = newTemplate(s, host, realm, destinationRealm, run)
	}
	return all
}

func newTemplate(s step, host, realm, destinationRealm string, run uint32) template {
	requestType := uint32(typeOf[s]) + 1 //nolint:gosec // G115: 1 to 3
	parts := [][]byte{
		avp(263, 0, text(fmt.Sprintf("%s;%d;%s", host, run, sessionPlace))), // Session-Id
		avp(avpOriginHost, 0, text(host)),
		avp(avpOriginRealm, 0, text(realm)),
		avp(283, 0, text(destinationRealm)),
		avp(avpAuthApplication, 0, number(4)),
		avp(461, 0, text("15.32260@3gpp.org")),
		avp(416, 0, number(requestType)),
		avp(415, 0, number(uint32(s))), //nolint:gosec // G115: 0 to 3
		avp(1, 0, text("sip:"+msisdnPlace+"@ims."+realm)),
		avp(278, 0, number(1)),
		avp(55, 0, number(timePlace)),
		avp(443, 0, avp(450, 0, number(0)), avp(444, 0, text(msisdnPlace))),
		avp(443, 0, avp(450, 0, number(1)), avp(444, 0, text(imsiPlace))),
	}
	if s == termination {
		parts = append(parts, avp(295, 0, number(1)))
	}
	parts = append(parts, avp(455, 0, number(1)), services(s), information(realm))
	frame := request(commandCC, flagProxiable, 4, parts...)
	return template{
		frame:   frame,
		session: places(frame, text(sessionPlace)),
		msisdn:  places(frame, text(msisdnPlace)),
		imsi:    places(frame, text(imsiPlace)),
		called:  places(frame, text(calledPlace)),
		time:    places(frame, number(timePlace)),
		used:    places(frame, number(usedPlace)),
	}
}

// services is the Multiple-Services-Credit-Control: the first asks, the updates report and ask, the last reports.
func services(s step) []byte {
	var parts [][]byte
	if s != termination {
		parts = append(parts, avp(437, 0)) // Requested-Service-Unit: as much as the server sees fit
	}
	if s != initial {
		parts = append(parts, avp(446, 0, avp(avpCCTime, 0, number(usedPlace))))
	}
	parts = append(parts, avp(432, 0, number(100)))
	if s == termination {
		parts = append(parts, avp(872, vendor3GPP, number(2))) // Reporting-Reason FINAL
	} else if s != initial {
		parts = append(parts, avp(872, vendor3GPP, number(3))) // QUOTA_EXHAUSTED
	}
	return avp(avpMultipleServices, 0, parts...)
}

// information is a Service-Information with what an application server tells of a call.
func information(realm string) []byte {
	return avp(873, vendor3GPP, avp(876, vendor3GPP,
		avp(823, vendor3GPP, avp(824, vendor3GPP, text("INVITE"))),    // Event-Type, SIP-Method
		avp(829, vendor3GPP, number(0)),                               // Role-Of-Node: originating
		avp(862, vendor3GPP, number(6)),                               // Node-Functionality: application server
		avp(830, vendor3GPP, text(sessionPlace+"@tas."+realm)),        // User-Session-Id
		avp(831, vendor3GPP, text("tel:+"+msisdnPlace)),               // Calling-Party-Address
		avp(832, vendor3GPP, text("tel:"+calledPlace)),                // Called-Party-Address
		avp(833, vendor3GPP, avp(834, vendor3GPP, number(timePlace))), // Time-Stamps, SIP-Request-Timestamp
		avp(838, vendor3GPP, avp(839, vendor3GPP, text("ims."+realm)), // Inter-Operator-Identifier
			avp(840, vendor3GPP, text("ims.other.test"))),
		avp(841, vendor3GPP, text("icid-"+sessionPlace)), // IMS-Charging-Identifier
		avp(1263, vendor3GPP, text("3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620112345678901")),
	))
}

func places(frame, what []byte) (all []int) {
	for from := 0; ; {
		at := bytes.Index(frame[from:], what)
		if at < 0 {
			return all
		}
		all = append(all, from+at)
		from += at + len(what)
	}
}

// ids are what distinguishes one request from another.
type ids struct {
	hopByHop, endToEnd uint32
	connection         int
	call               uint64 // counts the calls of the connection
	subscriber         uint32
	used               uint32 // seconds reported
	at                 time.Time
	repeated           bool // the T flag
}

// append adds the request to b.
func (t *template) append(b []byte, i ids) []byte {
	start := len(b)
	b = append(b, t.frame...)
	frame := b[start:]
	if i.repeated {
		frame[4] |= flagRepeated
	}
	binary.BigEndian.PutUint32(frame[12:], i.hopByHop)
	binary.BigEndian.PutUint32(frame[16:], i.endToEnd)
	for _, at := range t.session {
		session := frame[at : at+len(sessionPlace)]
		putDigits(session[:6], uint64(i.connection)) //nolint:gosec // G115: not negative
		session[6] = ';'
		putDigits(session[7:], i.call)
	}
	for _, at := range t.msisdn {
		putDigits(frame[at:at+len(msisdnPlace)], firstMSISDN+uint64(i.subscriber))
	}
	for _, at := range t.imsi {
		putDigits(frame[at:at+len(imsiPlace)], firstIMSI+uint64(i.subscriber))
	}
	for _, at := range t.called {
		frame[at] = '+'
		putDigits(frame[at+1:at+len(calledPlace)], firstCalled+i.call%100_000)
	}
	for _, at := range t.time {
		binary.BigEndian.PutUint32(frame[at:], ntpTime(i.at))
	}
	for _, at := range t.used {
		binary.BigEndian.PutUint32(frame[at:], i.used)
	}
	return b
}

// The numbers of the subscribers, counted up from these, and of those they call: ordinary ones, a second for a second.
const (
	firstMSISDN = 491500000000
	firstIMSI   = 262010000000000
	firstCalled = 493010000000
)

func msisdn(subscriber int) string { return fmt.Sprint(firstMSISDN + subscriber) }

func imsi(subscriber int) string { return fmt.Sprint(firstIMSI + subscriber) }

// putDigits writes n in decimal, filling b from the left with zeros.
func putDigits(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
}

// ntpTime is the Time of RFC 6733 §4.3.1: seconds since 1900, 32 bits.
func ntpTime(t time.Time) uint32 {
	return uint32(t.Unix() + 2208988800) //nolint:gosec // G115: era 1 begins in 2036 and is meant to wrap
}
