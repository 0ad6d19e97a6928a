package diameter

import (
	"bytes"
	"context"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// An identity is who this node is, as every message from it says.
type identity struct {
	host, realm string
	stateID     uint32 // Origin-State-Id: one for the whole cluster, kept while sessions are kept (RFC 6733 §8.16)
	product     string // Product-Name
	firmware    uint32 // Firmware-Revision
}

// appendOrigin appends Origin-Host and Origin-Realm.
func (id identity) appendOrigin(dst []byte) []byte {
	dst = appendText(dst, avp.OriginHost, 0, mandatory, id.host)
	return appendText(dst, avp.OriginRealm, 0, mandatory, id.realm)
}

// appendStateID appends Origin-State-Id.
func (id identity) appendStateID(dst []byte) []byte {
	return appendUint32(dst, avp.OriginStateID, 0, mandatory, id.stateID)
}

// A question is what an answer repeats of its request: the header without T, E and the reserved bits, the Session-Id
// and the Proxy-Info AVPs, octet for octet (RFC 6733 §6.2). Its slices are parts of the frame, which outlives it.
type question struct {
	command, application uint32
	hopByHop, endToEnd   uint32
	proxiable            bool
	session              []byte // the value of Session-Id; nil: there was none
	frame                frame  // for the Proxy-Info
	proxied              bool   // it has Proxy-Info

	requestType, requestNumber []byte // values of CC-Request-Type and CC-Request-Number, four octets; nil: not readable
}

// questionIn reads f as far as its AVPs are well-formed.
func questionIn(f frame) question {
	q := question{
		command: f.command(), application: f.application(), hopByHop: f.hopByHop(), endToEnd: f.endToEnd(),
		proxiable: f.flags()&diam.ProxiableFlag != 0, frame: f,
	}
	for a := range f.avps() {
		switch {
		case a.vendor != 0:
		case a.code == avp.SessionID && q.session == nil:
			q.session = a.data
		case a.code == avp.ProxyInfo:
			q.proxied = true
		case a.code == avp.CCRequestType && q.requestType == nil && len(a.data) == 4:
			q.requestType = a.data
		case a.code == avp.CCRequestNumber && q.requestNumber == nil && len(a.data) == 4:
			q.requestNumber = a.data
		}
	}
	return q
}

// questionOf returns the question that m, a message handed to a handler of ours, asks.
func questionOf(m *diam.Message) question { return questionIn(frameOf(m)) }

// begin appends the header of the answer and its Session-Id. The caller appends the rest and calls endMessage.
func (q question) begin(dst []byte, errorBit bool) (_ []byte, start int) {
	var flags byte
	if q.proxiable {
		flags |= diam.ProxiableFlag
	}
	if errorBit {
		flags |= diam.ErrorFlag
	}
	dst, start = beginMessage(dst, flags, q.command, q.application, q.hopByHop, q.endToEnd)
	if q.session != nil {
		dst = appendAVP(dst, avp.SessionID, 0, mandatory, q.session)
	}
	return dst, start
}

// appendProxyInfo appends every Proxy-Info of the request, in order and octet for octet.
func (q question) appendProxyInfo(dst []byte) []byte {
	if !q.proxied {
		return dst
	}
	for a := range q.frame.avps() {
		if a.is(avp.ProxyInfo) {
			dst = append(dst, a.whole...)
			dst = appendPadding(dst, len(a.whole))
		}
	}
	return dst
}

// appendRefusalTo appends the whole answer that refuses q. On application 4 the request type and number are repeated:
// some clients cannot match even an error without them.
func (q question) appendRefusalTo(dst []byte, id identity, r *refusal) []byte {
	dst, start := q.begin(dst, r.errorBit())
	if r.errorBit() { // the order of RFC 6733 §7.2
		dst = id.appendOrigin(dst)
		dst = appendUint32(dst, avp.ResultCode, 0, mandatory, r.code)
		dst = q.appendRequest(dst)
		dst = id.appendStateID(dst)
		dst = r.appendText(dst)
		dst = r.appendFailed(dst)
		dst = q.appendProxyInfo(dst)
		return endMessage(dst, start)
	}
	dst = appendUint32(dst, avp.ResultCode, 0, mandatory, r.code) // the order of RFC 8506 §3.2
	dst = id.appendOrigin(dst)
	dst = q.appendRequest(dst)
	dst = id.appendStateID(dst)
	dst = q.appendProxyInfo(dst)
	dst = r.appendFailed(dst)
	dst = r.appendText(dst)
	return endMessage(dst, start)
}

// appendRequest appends what an answer of application 4 repeats of its request.
func (q question) appendRequest(dst []byte) []byte {
	if q.application != creditControl {
		return dst
	}
	dst = appendUint32(dst, avp.AuthApplicationID, 0, mandatory, creditControl)
	if q.requestType != nil {
		dst = appendAVP(dst, avp.CCRequestType, 0, mandatory, q.requestType)
	}
	if q.requestNumber != nil {
		dst = appendAVP(dst, avp.CCRequestNumber, 0, mandatory, q.requestNumber)
	}
	return dst
}

// creditControl is the Auth-Application-Id of Gy and Ro (RFC 8506 §1.3).
const creditControl = 4

// framed carries the frame of a message beside the message. The library's decoding keeps neither the padding nor the
// flags of groups, and Failed-AVP and Proxy-Info must be repeated as they came.
type framed struct {
	context.Context
	frame frame
}

// keepFrame remembers that m was decoded from f. f is not changed and not used again as long as m lives.
func keepFrame(m *diam.Message, f frame) {
	m.SetContext(framed{context.Background(), f})
}

// frameOf returns the frame that m was decoded from. A message that came by another way than the guard is encoded.
func frameOf(m *diam.Message) frame {
	if c, ok := m.Context().(framed); ok {
		return c.frame
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil || b.Len() < headerLength {
		return make(frame, headerLength)
	}
	return b.Bytes()
}
