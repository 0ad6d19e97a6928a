package diameter

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A sender is the peer whose connection brought a request.
type sender struct {
	peer   Peer
	host   string
	secure bool // by TLS
}

// A ticket is what the answer must know of its request.
type ticket struct {
	config    *Transfers
	profile   TransferProfile
	vendor    uint32 // of Transfer-Information, in profile B
	operation transfer.Operation
	asked     rating.Units // 0: no quantity
	blame     map[parameter][]byte
	units     []byte // Requested-Service-Unit as it came
}

// A transferDecoder reads a request about minutes. The decoder of every CCR takes the AVPs that all have; those of the
// transfer are read from the frame, where also the members of a group lie that no dictionary knows.
type transferDecoder struct {
	decoder
	config *Transfers
	from   sender
	ticket ticket
	values map[parameter]string
	units  int  // of Requested-Service-Unit
	group  bool // Transfer-Information was there
	out    TransferRequest
}

// decodeTransfer reads a request about minutes, or finds why it cannot be served. No refusal of it repeats a credential.
func decodeTransfer(m *diam.Message, config *Transfers, from sender) (TransferRequest, ticket, *refusal) {
	d := transferDecoder{config: config, from: from, values: map[parameter]string{}}
	d.header = m.Header
	d.request.Origin.Peer = from.host
	d.ticket = ticket{config: config, blame: map[parameter][]byte{}}
	f := frameOf(m)
	d.chooseProfile(f)
	for _, a := range m.AVP {
		if !d.reads(a) {
			d.command(a)
		}
	}
	d.finish()
	d.carried(f)
	if d.broken == 0 || d.broken >= checkMissing {
		d.interpret()
	}
	if d.refusal != nil {
		return TransferRequest{}, ticket{}, d.refusal
	}
	return d.out, d.ticket, nil
}

// chooseProfile finds out how the transfer is carried: B where its group is there, else A, else C.
func (d *transferDecoder) chooseProfile(f frame) {
	for a := range f.avps() {
		switch {
		case d.isInformation(a) && d.config.reads(ProfileVendor):
			d.ticket.profile, d.ticket.vendor = ProfileVendor, a.vendor
			return
		case a.is(avp.ServiceParameterInfo) && d.config.reads(ProfileIETF):
			d.ticket.profile = ProfileIETF
		case d.ticket.profile == "" && a.code == avp.ServiceInformation && a.vendor == vendor3GPP && d.config.reads(Profile3GPP),
			d.ticket.profile == "" && a.is(avp.ServiceIdentifier) && d.config.reads(Profile3GPP):
			d.ticket.profile = Profile3GPP
		}
	}
	if d.ticket.profile == "" {
		d.ticket.profile = d.config.Profiles[0]
		d.ticket.vendor = d.config.VendorID
	}
}

func (t *Transfers) reads(p TransferProfile) bool { return slices.Contains(t.Profiles, p) }

// reads reports whether a belongs to the transfer and is read from the frame.
func (d *transferDecoder) reads(a *diam.AVP) bool {
	switch avpKey(a.VendorID, a.Code) {
	case avp.ServiceParameterInfo, tgpp | avp.ServiceInformation, tgpp | avp.RefundInformation:
		return true
	}
	return d.isInformation(rawAVP{code: a.Code, vendor: a.VendorID})
}

// carried gathers the parameters, and the quantity.
func (d *transferDecoder) carried(f frame) {
	for a := range f.avps() {
		switch {
		case a.is(avp.RequestedServiceUnit):
			d.ticket.units = a.whole
			d.units++
		case a.is(avp.MultipleServicesCreditControl), a.is(avp.UsedServiceUnit):
			d.refuse(checkNotAllowed, codeAVPNotAllowed, "a transfer has its quantity in Requested-Service-Unit at command level", a.whole)
		case a.is(avp.ServiceParameterInfo) && d.ticket.profile == ProfileIETF:
			d.parameterInfo(a)
		case d.isInformation(a) && d.ticket.profile == ProfileVendor:
			d.information(a)
		case a.is(avp.ServiceParameterInfo) && d.ticket.profile == ProfileVendor:
			d.refuse(checkNotAllowed, codeAVPNotAllowed, "parameters in two forms", scrubbed(a))
		}
	}
	if d.ticket.profile == Profile3GPP {
		d.carried3GPP(f)
	}
}

// take keeps a parameter. failed tells it in a Failed-AVP.
func (d *transferDecoder) take(p parameter, value string, failed []byte) {
	if !p.ofRequests() {
		return
	}
	if _, twice := d.values[p]; twice {
		d.refuse(checkTooOften, codeAVPTooOften, "an AVP occurs too many times", failed)
		return
	}
	d.values[p], d.ticket.blame[p] = value, failed
}

func (d *transferDecoder) malformed(p parameter, text string) {
	d.refuse(checkValue, codeInvalidAVPValue, text, d.ticket.blamed(p))
}

func (d *transferDecoder) absent(p parameter) {
	d.refuse(checkMissing, codeMissingAVP, "a required value is missing", d.ticket.blamed(p))
}

// interpret makes a request of the parameters.
func (d *transferDecoder) interpret() {
	if d.request.Type != ocs.Event && d.seen&seenType != 0 {
		d.refuse(checkValue, codeInvalidAVPValue, "a transfer is an event", appendUint32(nil, avp.CCRequestType, 0, mandatory, uint32(d.request.Type)))
		return
	}
	if !d.operation() {
		return
	}
	r := &d.out.Request
	r.By = transfer.BySender
	if r.Operation == transfer.OpSolicit {
		r.By = transfer.ByReceiver
	}
	r.Caller = strings.ToLower(d.request.Origin.Realm)
	d.acting()
	d.kindAndChannel()
	d.counterparty()
	d.references()
	d.quantity()
	d.terms()
	d.credential()
}

// actions is the Requested-Action that goes with each operation (spec/transfer 4.1).
var actions = [...]ocs.Action{
	transfer.OpQuote: ocs.PriceEnquiry, transfer.OpSend: ocs.DirectDebiting, transfer.OpPrepare: ocs.DirectDebiting,
	transfer.OpConfirm: ocs.DirectDebiting, transfer.OpCancel: ocs.DirectDebiting,
	transfer.OpReverse: ocs.RefundAccount, transfer.OpReverseAccept: ocs.RefundAccount, transfer.OpReverseRefuse: ocs.RefundAccount,
	transfer.OpEnquire: ocs.CheckBalance, transfer.OpAllowance: ocs.CheckBalance,
	transfer.OpSolicit: ocs.PriceEnquiry, transfer.OpAccept: ocs.DirectDebiting, transfer.OpDecline: ocs.PriceEnquiry,
}

// operation reads what is asked for, and whether this peer may.
func (d *transferDecoder) operation() bool {
	if _, there := d.values[paramOperation]; !there {
		d.absent(paramOperation)
		return false
	}
	n, ok := d.number(paramOperation, uint64(transfer.OpDecline))
	if !ok {
		return false
	}
	o := transfer.Operation(n) //nolint:gosec // G115: at most OpDecline
	d.out.Request.Operation, d.ticket.operation = o, o
	if d.action != nil && d.request.Action != actions[o] {
		d.refuse(checkValue, codeInvalidAVPValue, "Requested-Action is not that of the operation", copyAVP(d.action))
		return false
	}
	if !d.config.mayAsk(d.from.peer, o) {
		d.refuse(checkValue, codeAuthorizationRejected, "this peer may not ask for this operation", nil)
		return false
	}
	return true
}

func (d *transferDecoder) acting() {
	if len(d.request.Identities) == 0 {
		d.refuse(checkMissing, codeMissingAVP, "the subscriber who acts is missing", exampleAVP(avp.SubscriptionID, 0, 0))
		return
	}
	d.out.Acting = d.request.Identities[0]
	for _, id := range d.request.Identities {
		if id.Kind == ocs.IMSI {
			d.out.IMSI = id.Value
			break
		}
	}
	if imsi, there := d.values[paramIMSI]; there {
		if !isDigits(imsi, 5, 15) {
			d.malformed(paramIMSI, "an IMSI is 5 to 15 digits")
		}
		d.out.IMSI = imsi
	}
}

// mostKind only keeps the number small: the kinds that there are count.
const mostKind = 255

func (d *transferDecoder) kindAndChannel() {
	r := &d.out.Request
	r.Kind, r.Channel = transfer.P2P, transfer.API
	if strings.HasPrefix(d.values[paramCounterparty], "merchant:") {
		r.Kind = transfer.Merchant
	}
	kinds := transfer.Kinds()
	if n, ok := d.number(paramKind, mostKind); ok && n < uint64(len(kinds)) {
		r.Kind = kinds[n]
	} else if ok {
		d.malformed(paramKind, "the kind is none that is known")
	}
	if channel, there := d.values[paramChannel]; there {
		if r.Channel = transfer.Channel(channel); !slices.Contains(transfer.Channels(), r.Channel) {
			d.malformed(paramChannel, "the channel is none that is known")
		}
	}
}

// counterparty reads the other side, which requests about what is stored do not name.
func (d *transferDecoder) counterparty() {
	o := d.out.Request.Operation
	if o.OnStored() {
		return
	}
	value, there := d.values[paramCounterparty]
	if !there {
		if o != transfer.OpAllowance {
			d.absent(paramCounterparty)
		}
		return
	}
	named, ok := counterpartyOf(value, d.out.Request.Kind)
	if !ok {
		d.malformed(paramCounterparty, "the counterparty is neither tel:, merchant: nor agent:, or not well-formed")
		return
	}
	d.out.Request.Counterparty = named
}

// counterpartyOf normalises a counterparty: tel:E164, merchant:code, agent:code. A code alone is of the role that the kind
// has at its other side.
func counterpartyOf(value string, kind transfer.Kind) (string, bool) {
	scheme, rest, found := strings.Cut(value, ":")
	if !found {
		scheme, rest = "agent", value
		switch kind {
		case transfer.Merchant:
			scheme = "merchant"
		case transfer.P2P, transfer.Gift, transfer.Agent:
			return "", false
		case transfer.CashOut, transfer.Float:
		}
	}
	var ok bool
	switch scheme = strings.ToLower(scheme); scheme {
	case "tel":
		rest, ok = plainNumber(rest)
	case "merchant", "agent":
		rest, ok = transfer.ParseShortCode(rest)
	}
	return scheme + ":" + rest, ok
}

// plainNumber returns the digits of an international number, written with +, with 00 or without. What begins with one zero
// only its home network can complete: to guess would send minutes to a stranger.
func plainNumber(s string) (string, bool) {
	digits, plus := strings.CutPrefix(s, "+")
	if !plus {
		digits = strings.TrimPrefix(digits, "00")
	}
	return digits, isDigits(digits, 3, 15) && digits[0] != '0'
}

// references reads the client's own reference and that of the stored transfer.
func (d *transferDecoder) references() {
	r := &d.out.Request
	if own, there := d.values[paramClientReference]; there {
		if !isVisible(own) {
			d.malformed(paramClientReference, "a reference is 1 to 64 visible ASCII characters")
		}
		r.Reference = own
	} else {
		r.Reference = referenceOfSession(d.request.Session.ID)
	}
	if r.Operation.ReadsOnly() { // nothing is remembered, and the session may have asked for something else before
		r.Reference = ""
	}
	if !r.Operation.OnStored() {
		return
	}
	original, named := d.values[paramOriginal]
	reference, too := d.values[paramReference]
	blamed := paramOriginal
	switch {
	case !named && !too:
		d.absent(paramOriginal)
		return
	case !named:
		original, blamed = reference, paramReference
	}
	parsed, ok := transfer.ParseReference(original)
	if other, right := transfer.ParseReference(reference); too && (!right || other != parsed) {
		ok, blamed = false, paramReference
	}
	if !ok {
		d.malformed(blamed, "a reference has a wrong character, or there are two")
	}
	r.Original = string(parsed)
	if _, there := d.ticket.blame[paramOriginal]; !there { // what is to blame is what was sent
		d.ticket.blame[paramOriginal] = d.ticket.blame[blamed]
	}
}

// referenceOfSession is the reference of a client that brings none: its Session-Id, or a digest of one that is too long or
// has other characters.
func referenceOfSession(id string) string {
	if isVisible(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "session:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// needsQuantity are the operations that say how much.
func needsQuantity(o transfer.Operation) bool {
	switch o {
	case transfer.OpQuote, transfer.OpSend, transfer.OpPrepare, transfer.OpSolicit:
		return true
	case transfer.OpConfirm, transfer.OpCancel, transfer.OpReverse, transfer.OpReverseAccept, transfer.OpReverseRefuse,
		transfer.OpEnquire, transfer.OpAllowance, transfer.OpAccept, transfer.OpDecline, transfer.OpLapse:
	}
	return false
}

// quantity reads Requested-Service-Unit, in which nothing but CC-Time counts.
func (d *transferDecoder) quantity() {
	if d.units == 0 {
		if needsQuantity(d.out.Request.Operation) {
			d.refuse(checkMissing, codeMissingAVP, "the quantity is missing", exampleSeconds())
		}
		return
	}
	m := d.level.Requested
	switch {
	case m == nil: // refused already
	case m.Money || m.TotalOctets != nil || m.InputOctets != nil || m.OutputOctets != nil || m.Specific != nil:
		d.refuse(checkValue, codeInvalidAVPValue, "a transfer is of seconds alone", d.ticket.units)
	case m.Time == nil:
		d.refuse(checkMissing, codeMissingAVP, "the quantity is missing", exampleSeconds())
	case *m.Time == 0:
		d.refuse(checkValue, codeInvalidAVPValue, "zero seconds", d.ticket.units)
	default:
		d.out.Request.Seconds = rating.Units(*m.Time) //nolint:gosec // G115: an Unsigned32
		d.ticket.asked = d.out.Request.Seconds
	}
}

func exampleSeconds() []byte {
	return inGroup(avp.RequestedServiceUnit, 0, exampleAVP(avp.CCTime, 0, 4))
}

// terms reads fee, quote, note, and what a person agreed to.
func (d *transferDecoder) terms() {
	r := &d.out.Request
	if bearer, there := d.values[paramBearer]; there {
		if r.Bearer = transfer.Bearer(bearer); r.Bearer != transfer.Originator && r.Bearer != transfer.Receiver {
			d.malformed(paramBearer, "the fee bearer is originator or receiver")
		}
	}
	if n, ok := d.number(paramMaxFee, uint64(transfer.MaxSeconds)); ok {
		r.MaxFee = new(rating.Units(n)) //nolint:gosec // G115: at most MaxSeconds
	}
	if quote, there := d.values[paramQuote]; there {
		if !isVisible(quote) {
			d.malformed(paramQuote, "a quote id is 1 to 64 visible ASCII characters")
		}
		r.QuoteID, r.Confirmed = quote, true // who brings a quote was shown it
	}
	if note, there := d.values[paramNote]; there {
		if !isNote(note) {
			d.malformed(paramNote, "a note is 1 to 64 characters without control characters")
		}
		r.Note = note
	}
	switch consent, there := d.values[paramConsent]; {
	case !there:
	case consent == "yes":
		r.Confirmed = true
	case consent == "again":
		r.Confirmed, r.Again = true, true
	default:
		d.malformed(paramConsent, "consent is yes or again")
	}
	if n, ok := d.number(paramHold, mostHold); ok {
		r.ValidFor = time.Duration(n) * time.Second //nolint:gosec // G115: at most mostHold
	}
}

// mostHold is a hold of a hundred years, in seconds. The policy says how long one may really be.
const mostHold = 100 * 366 * 24 * 3600

// The credential types (parameter 12).
const (
	credentialPIN = iota
	credentialOTP // the pay-out code of a cash-out
	credentialAsserted
)

// credential reads how the person was recognised, and the code of a pay-out. What is wrong is told without their values.
func (d *transferDecoder) credential() {
	value, given := d.secret(paramCredential)
	d.out.Payout, _ = d.secret(paramPayout)
	kind, typed := d.number(paramCredentialType, credentialAsserted)
	switch {
	case !given && !typed:
	case typed && kind == credentialAsserted:
		if !d.from.peer.Vouches {
			d.refuse(checkValue, codeAuthorizationRejected, "this peer may not vouch for a person", nil)
		}
		d.out.Vouched, d.out.Request.Confirmed = d.from.peer.Vouches, true
	case !given:
		d.absent(paramCredential)
	case kind == credentialOTP && (d.out.Request.Operation != transfer.OpConfirm || d.out.Payout != ""):
		d.malformed(paramCredentialType, "the one code that there is confirms a pay-out")
	case kind == credentialOTP:
		d.out.Payout = value
	default:
		d.out.PIN, d.out.Request.Confirmed = value, true
	}
	if d.out.Payout != "" && d.out.Request.Operation == transfer.OpConfirm {
		d.out.Request.By = transfer.ByReceiver
	}
}

// secret reads a parameter that is not to be repeated, from a peer that may send one.
func (d *transferDecoder) secret(p parameter) (value string, given bool) {
	value, given = d.values[p]
	switch {
	case !given:
	case !d.from.secure && !d.config.PlainCredentials:
		d.refuse(checkNotAllowed, codeAVPNotAllowed, "a credential needs TLS", d.ticket.blamed(p))
	case value == "" || len(value) > 64 || !isText(value):
		d.malformed(p, "a credential is 1 to 64 octets of text")
	}
	return value, given
}

// number reads a parameter that is a whole number in decimal. False: it is not there, or refused.
func (d *transferDecoder) number(p parameter, most uint64) (uint64, bool) {
	value, there := d.values[p]
	if !there {
		return 0, false
	}
	n, ok := decimal(value, most)
	if !ok {
		d.malformed(p, "not a whole number in decimal, or out of range")
	}
	return n, ok
}

// decimal reads ASCII digits: no sign, blank, point or exponent.
func decimal(s string, most uint64) (n uint64, ok bool) {
	if !isDigits(s, 1, 18) {
		return 0, false
	}
	for i := range len(s) {
		n = n*10 + uint64(s[i]-'0')
	}
	return n, n <= most
}

// isVisible reports whether s can be a reference: 1 to 64 characters of visible ASCII.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= transfer.MaxReference
}

func isNote(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= transfer.MaxNote && !strings.ContainsFunc(s, unicode.IsControl)
}
