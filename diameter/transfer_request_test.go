package diameter

import (
	"bytes"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// everything is a configuration in which all profiles are read and all operations allowed.
func everything() *Transfers {
	all, _ := TransferOperations([]string{"all"})
	t := Transfers{
		Profiles: []TransferProfile{ProfileIETF, ProfileVendor, Profile3GPP}, Operations: all,
		VendorID: DocumentationVendorID, AcceptVendorIDs: []uint32{4999},
	}.withDefaults()
	return &t
}

// gateway is a peer with TLS.
var gateway = sender{peer: Peer{Name: "ussd1.gw.test"}, host: "ussd1.gw.test", secure: true}

// secretPIN is in every request of these tests that has a PIN, and in no answer.
const secretPIN = "274931"

func decodeTransferBytes(tb testing.TB, b []byte, config *Transfers, from sender) (TransferRequest, ticket, *refusal) {
	tb.Helper()
	return decodeTransfer(decoded(tb, b), config, from)
}

// Each operation, as it stands in testdata, is the request that it means.
func TestTransferRequests(t *testing.T) {
	t.Parallel()
	const reference = "GZFA-VFQF-6"
	minutes := func(n rating.Units) rating.Units { return n * 60 }
	plain := transfer.Request{Kind: transfer.P2P, Channel: transfer.API, By: transfer.BySender, Caller: "gw.test"}
	with := func(change func(r *transfer.Request)) transfer.Request {
		r := plain
		change(&r)
		return r
	}
	one, two := ocs.Identity{Value: "491700000001"}, ocs.Identity{Value: "491700000002"}
	stored := func(o transfer.Operation, own string) transfer.Request {
		return with(func(r *transfer.Request) { r.Operation, r.Reference, r.Original = o, own, reference })
	}
	for name, want := range map[string]TransferRequest{
		"quote": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.Channel, r.Counterparty, r.Seconds = transfer.OpQuote, transfer.USSD, "tel:491700000002", minutes(15)
		})},
		"send": {Acting: one, PIN: secretPIN, IMSI: "262010000000001", Request: with(func(r *transfer.Request) {
			r.Operation, r.Channel, r.Counterparty, r.Seconds = transfer.OpSend, transfer.USSD, "tel:491700000002", minutes(15)
			r.Reference, r.Bearer, r.MaxFee, r.QuoteID = "gw-2026-03-02/1", transfer.Originator, new(rating.Units(60)), reference
			r.Note, r.Confirmed = "for the call home", true
		})},
		"prepare": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.Counterparty, r.Seconds, r.Reference = transfer.OpPrepare, "tel:491700000002", minutes(15), "gw-2"
			r.ValidFor = 10 * time.Minute
		})},
		"confirm": {Acting: one, Request: stored(transfer.OpConfirm, "gw-3")},
		"cancel":  {Acting: one, Request: stored(transfer.OpCancel, "gw-4")},
		"reverse": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.Reference, r.Original, r.Seconds, r.Note = transfer.OpReverse, "gw-5", reference, minutes(5), "wrong number"
		})},
		"reverse_accept": {Acting: two, Request: stored(transfer.OpReverseAccept, "gw-6")},
		"reverse_refuse": {Acting: two, Request: stored(transfer.OpReverseRefuse, "gw-7")},
		"enquire":        {Acting: one, Request: stored(transfer.OpEnquire, "")},
		"allowance": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.Seconds = transfer.OpAllowance, minutes(15)
		})},
		"solicit": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.By, r.Counterparty, r.Seconds = transfer.OpSolicit, transfer.ByReceiver, "tel:491700000002", minutes(15)
			r.Reference, r.Confirmed = "gw-10", true
		})},
		"accept":  {Acting: two, Request: stored(transfer.OpAccept, "gw-11")},
		"decline": {Acting: two, Request: stored(transfer.OpDecline, "gw-12")},
		"vendor": {Acting: one, PIN: secretPIN, Request: with(func(r *transfer.Request) {
			r.Operation, r.Kind, r.Channel, r.Counterparty = transfer.OpSend, transfer.Merchant, transfer.AgentDesk, "merchant:246808"
			r.Seconds, r.Reference, r.Bearer, r.MaxFee = minutes(15), "pos-7/1", transfer.Receiver, new(rating.Units(30))
			r.Note, r.Confirmed = "bill 4711", true
		})},
		"3gpp": {Acting: one, Request: with(func(r *transfer.Request) {
			r.Operation, r.Counterparty, r.Seconds, r.Reference = transfer.OpSend, "tel:491700000002", minutes(15), "smsc-1"
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ticket, refused := decodeTransferBytes(t, readHex(t, "testdata/transfer_"+name+".hex"), everything(), gateway)
			if refused != nil {
				t.Fatalf("refused with %d %q, Failed-AVP %x", refused.code, refused.text, refused.failed)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			profile := ProfileIETF
			if name == "vendor" || name == "3gpp" {
				profile = TransferProfile(name)
			}
			if ticket.profile != profile {
				t.Errorf("read as profile %s, want %s", ticket.profile, profile)
			}
		})
	}
}

// transferOf returns a transfer of 15 minutes in profile A with these parameters instead of or beside its own; an empty
// list leaves one out.
func transferOf(action uint32, parameters map[parameter][]string, more ...[]byte) []byte {
	all := map[parameter][]string{paramOperation: {"1"}, paramCounterparty: {"tel:491700000002"}}
	maps.Copy(all, parameters)
	avps := [][]byte{number(avp.RequestedAction, action)}
	for p := range parameter(64) {
		for _, value := range all[p] {
			avps = append(avps, parameterAVP(p, value))
		}
	}
	return transferRequest(append(avps, more...)...)
}

func transferRequest(more ...[]byte) []byte {
	avps := [][]byte{
		text(avp.SessionID, "ussd1.gw.test;1;1"), text(avp.OriginHost, "ussd1.gw.test"), text(avp.OriginRealm, "gw.test"),
		text(avp.DestinationRealm, "ocs.test"), number(avp.AuthApplicationID, creditControl),
		text(avp.ServiceContextID, DefaultTransferContext), number(avp.CCRequestType, 4), number(avp.CCRequestNumber, 0),
		subscriptionOf(0, "491700000001"),
	}
	return message(0xC0, diam.CreditControl, creditControl, 1, 2, append(avps, more...)...)
}

var quarterHour = groupIETF(avp.RequestedServiceUnit, number(avp.CCTime, 900))

// What cannot be read is refused with the AVP that is to blame, and never with a credential in it.
func TestTransferBadInput(t *testing.T) {
	t.Parallel()
	const debit = uint32(ocs.DirectDebiting)
	type values = map[parameter][]string
	with := func(p parameter, s ...string) []byte { return transferOf(debit, values{p: s}, quarterHour) }
	units := func(members ...[]byte) []byte {
		return transferOf(debit, nil, groupIETF(avp.RequestedServiceUnit, members...))
	}
	vendorAVP := func(members ...[]byte) []byte {
		return appendAVP(nil, 1000, DocumentationVendorID, 0, bytes.Join(members, nil))
	}
	vendorSend := appendUint32(nil, 1001, DocumentationVendorID, 0, 1)
	vendorShop := appendAVP(nil, 1003, DocumentationVendorID, 0, appendText(nil, 1004, DocumentationVendorID, 0, "merchant:246808"))
	for _, c := range []struct {
		name   string
		b      []byte
		code   uint32
		failed []byte
	}{
		{"no operation", with(paramOperation), 5005, parameterAVP(paramOperation, "")},
		{"operation 13", with(paramOperation, "13"), 5004, parameterAVP(paramOperation, "13")},
		{"operation 255 is the sweep's", with(paramOperation, "255"), 5004, parameterAVP(paramOperation, "255")},
		{"operation in words", with(paramOperation, "send"), 5004, parameterAVP(paramOperation, "send")},
		{"operation twice", with(paramOperation, "1", "1"), 5009, parameterAVP(paramOperation, "1")},
		{"the action of another operation", transferOf(uint32(ocs.CheckBalance), nil, quarterHour), 5004, number(avp.RequestedAction, 2)},
		{"no action", transferRequest(parameterAVP(paramOperation, "1"), quarterHour), 5005, number(avp.RequestedAction, 0)},
		{"no counterparty", with(paramCounterparty), 5005, parameterAVP(paramCounterparty, "")},
		{"empty counterparty", with(paramCounterparty, ""), 5004, parameterAVP(paramCounterparty, "")},
		{"two counterparties", with(paramCounterparty, "tel:491700000002", "tel:491700000003"), 5009, parameterAVP(paramCounterparty, "tel:491700000003")},
		{"national number", with(paramCounterparty, "tel:01700000002"), 5004, parameterAVP(paramCounterparty, "tel:01700000002")},
		{"number of other digits", with(paramCounterparty, "tel:٤٩١٧٠٠٠٠٠٠٠٢"), 5004, parameterAVP(paramCounterparty, "tel:٤٩١٧٠٠٠٠٠٠٠٢")},
		{"wrong check digit", with(paramCounterparty, "merchant:246807"), 5004, parameterAVP(paramCounterparty, "merchant:246807")},
		{"unknown scheme", with(paramCounterparty, "sip:a@b.test"), 5004, parameterAVP(paramCounterparty, "sip:a@b.test")},
		{"uri in a number", with(paramCounterparty, "tel:sip:491700000002"), 5004, parameterAVP(paramCounterparty, "tel:sip:491700000002")},
		{"kind 6", with(paramKind, "6"), 5004, parameterAVP(paramKind, "6")},
		{"channel", with(paramChannel, "fax"), 5004, parameterAVP(paramChannel, "fax")},
		{"bearer", with(paramBearer, "both"), 5004, parameterAVP(paramBearer, "both")},
		{"empty reference", with(paramClientReference, ""), 5004, parameterAVP(paramClientReference, "")},
		{"reference with a blank", with(paramClientReference, "a b"), 5004, parameterAVP(paramClientReference, "a b")},
		{"reference of 65", with(paramClientReference, strings.Repeat("a", 65)), 5004, parameterAVP(paramClientReference, strings.Repeat("a", 65))},
		{"note of 65", with(paramNote, strings.Repeat("é", 65)), 5004, parameterAVP(paramNote, strings.Repeat("é", 65))},
		{"note with a control character", with(paramNote, "a\x07"), 5004, parameterAVP(paramNote, "a\x07")},
		{"note that is no UTF-8", with(paramNote, "\xff"), 5004, parameterAVP(paramNote, "\xff")},
		{"fee with a sign", with(paramMaxFee, "-1"), 5004, parameterAVP(paramMaxFee, "-1")},
		{"fee with an exponent", with(paramMaxFee, "1e3"), 5004, parameterAVP(paramMaxFee, "1e3")},
		{"fee with a fraction", with(paramMaxFee, "1.5"), 5004, parameterAVP(paramMaxFee, "1.5")},
		{"fee that overflows", with(paramMaxFee, "9223372036854775808"), 5004, parameterAVP(paramMaxFee, "9223372036854775808")},
		{"fee of full-width digits", with(paramMaxFee, "１"), 5004, parameterAVP(paramMaxFee, "１")},
		{"fee above all that exists", with(paramMaxFee, "1099511627777"), 5004, parameterAVP(paramMaxFee, "1099511627777")},
		{"hold that overflows", with(paramHold, "999999999999999999"), 5004, parameterAVP(paramHold, "999999999999999999")},
		{"IMSI", with(paramIMSI, "12x"), 5004, parameterAVP(paramIMSI, "12x")},
		{"consent", with(paramConsent, "no"), 5004, parameterAVP(paramConsent, "no")},
		{"credential type 3", with(paramCredentialType, "3"), 5004, parameterAVP(paramCredentialType, "3")},
		{"credential type without a credential", with(paramCredentialType, "0"), 5005, parameterAVP(paramCredential, "")},
		{"empty credential", with(paramCredential, ""), 5004, parameterAVP(paramCredential, "")},
		{"credential too long", with(paramCredential, strings.Repeat(secretPIN, 11)), 5004, parameterAVP(paramCredential, "")},
		{"two credentials", with(paramCredential, secretPIN, secretPIN), 5009, parameterAVP(paramCredential, "")},
		{"pay-out code too long", with(paramPayout, strings.Repeat(secretPIN, 11)), 5004, parameterAVP(paramPayout, "")},
		{"no quantity", transferOf(debit, nil), 5005, exampleSeconds()},
		{"zero seconds", units(number(avp.CCTime, 0)), 5004, groupIETF(avp.RequestedServiceUnit, number(avp.CCTime, 0))},
		{"octets", units(number64Of(avp.CCTotalOctets, 900)), 5004, groupIETF(avp.RequestedServiceUnit, number64Of(avp.CCTotalOctets, 900))},
		{"empty quantity", units(), 5005, exampleSeconds()},
		{"quantity twice", transferOf(debit, nil, quarterHour, quarterHour), 5009, quarterHour},
		{"quantity in a service", transferOf(debit, nil, quarterHour, groupIETF(avp.MultipleServicesCreditControl, quarterHour)), 5008, groupIETF(avp.MultipleServicesCreditControl, quarterHour)},
		{"confirm without a reference", transferOf(debit, values{paramOperation: {"3"}}), 5005, parameterAVP(paramOriginal, "")},
		{"mistyped reference", transferOf(debit, values{paramOperation: {"3"}, paramReference: {"GZFA-VFQF-7"}}), 5004, parameterAVP(paramReference, "GZFA-VFQF-7")},
		{"two references that differ", transferOf(debit, values{paramOperation: {"3"}, paramReference: {"GZFA-VFQF-6"}, paramOriginal: {"0000-0000-0"}}), 5004, parameterAVP(paramReference, "GZFA-VFQF-6")},
		{"code that confirms nothing", transferOf(debit, values{paramCredentialType: {"1"}, paramCredential: {secretPIN}}, quarterHour), 5004, parameterAVP(paramCredentialType, "1")},
		{"nobody acts", bytesWithout(t, transferOf(debit, nil, quarterHour), avp.SubscriptionID), 5005, exampleAVP(avp.SubscriptionID, 0, 0)},
		{"a parameter without a value", transferOf(debit, nil, quarterHour, groupIETF(avp.ServiceParameterInfo, number(avp.ServiceParameterType, 15))), 5005, groupIETF(avp.ServiceParameterInfo, text(avp.ServiceParameterValue, ""))},
		{"a parameter without a type", transferOf(debit, nil, quarterHour, groupIETF(avp.ServiceParameterInfo, text(avp.ServiceParameterValue, "x"))), 5005, groupIETF(avp.ServiceParameterInfo, number(avp.ServiceParameterType, 0))},
		{"an AVP of answers", transferOf(debit, nil, quarterHour, number(avp.ValidityTime, 60)), 5008, number(avp.ValidityTime, 60)},
		{"an unknown AVP with the M bit", transferOf(debit, nil, quarterHour, number(9999, 1)), 5001, number(9999, 1)},
		{"two forms", transferOf(debit, nil, quarterHour, vendorAVP(vendorSend, vendorShop)), 5008, parameterAVP(paramOperation, "1")},
		{"vendor group twice", transferRequest(number(avp.RequestedAction, 0), quarterHour, vendorAVP(vendorSend, vendorShop), vendorAVP()), 5009, vendorAVP()},
		{"vendor group without an operation", transferRequest(number(avp.RequestedAction, 0), vendorAVP()), 5005, vendorAVP(appendUint32(nil, 1001, DocumentationVendorID, 0, 0))},
		{"vendor channel", transferRequest(number(avp.RequestedAction, 0), quarterHour, vendorAVP(vendorSend, vendorShop, appendUint32(nil, 1015, DocumentationVendorID, 0, 9))), 5004,
			vendorAVP(appendUint32(nil, 1015, DocumentationVendorID, 0, 9))},
		{"vendor group without a counterparty", transferRequest(number(avp.RequestedAction, 0), quarterHour, vendorAVP(vendorSend)), 5005,
			vendorAVP(appendAVP(nil, 1003, DocumentationVendorID, 0, nil))},
		{"vendor counterparty that is no number", transferRequest(number(avp.RequestedAction, 0), quarterHour, vendorAVP(vendorSend, appendAVP(nil, 1003, DocumentationVendorID, 0, subscriptionOf(2, "sip:a@b.test")))), 5004,
			vendorAVP(appendAVP(nil, 1003, DocumentationVendorID, 0, subscriptionOf(2, "sip:a@b.test")))},
		{"a wrong length in the group of another vendor", transferRequest(number(avp.RequestedAction, 0), quarterHour, appendAVP(nil, 1000, 4999, 0, []byte{0, 0, 3, 233, 0, 0, 0, 200})), 5014,
			appendAVP(nil, 1000, 4999, 0, appendAVP(nil, 1001, 0, 0, nil))},
		{"a credential in the AVPs of 3GPP", transferRequest(number(avp.RequestedAction, 0), quarterHour, number(avp.ServiceIdentifier, 1),
			group3GPP(avp.ServiceInformation, group3GPP(avp.IMSInformation, group3GPP(avp.ServiceSpecificInfo, text3GPP(avp.ServiceSpecificData, secretPIN), number3GPP(avp.ServiceSpecificType, 13))),
				group3GPP(avp.SMSInformation, group3GPP(avp.RecipientInfo, group3GPP(avp.RecipientAddress, text3GPP(avp.AddressData, "491700000002")))))), 5008,
			group3GPP(avp.ServiceInformation, specificInfo(paramCredential, ""))},
		{"an address that is no number", transferRequest(number(avp.RequestedAction, 0), quarterHour, number(avp.ServiceIdentifier, 1),
			group3GPP(avp.ServiceInformation, group3GPP(avp.SMSInformation, group3GPP(avp.RecipientInfo, group3GPP(avp.RecipientAddress, number3GPP(avp.AddressType, 0), text3GPP(avp.AddressData, "a@b.test")))))), 5004,
			group3GPP(avp.ServiceInformation, group3GPP(avp.SMSInformation, group3GPP(avp.RecipientInfo, group3GPP(avp.RecipientAddress, number3GPP(avp.AddressType, 0), text3GPP(avp.AddressData, "a@b.test")))))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, refused := decodeTransferBytes(t, c.b, everything(), gateway)
			if refused == nil {
				t.Fatalf("served, want %d", c.code)
			}
			if refused.code != c.code || !bytes.Equal(padding(refused.failed), padding(c.failed)) {
				t.Errorf("got  %d %x %q\nwant %d %x", refused.code, refused.failed, refused.text, c.code, c.failed)
			}
			answer := questionIn(c.b).appendRefusalTo(nil, ocs1, refused)
			walkAVPs(t, answer[headerLength:])
			if bytes.Contains(answer, []byte(secretPIN)) {
				t.Errorf("the answer tells the PIN: %x", answer)
			}
		})
	}
}

// padding returns an encoded AVP with its padding.
func padding(b []byte) []byte { return appendPadding(bytes.Clone(b), len(b)) }

// bytesWithout returns a message less the AVPs of a code.
func bytesWithout(tb testing.TB, b []byte, code uint32) []byte {
	tb.Helper()
	var kept [][]byte
	for a := range frame(b).avps() {
		if a.code != code {
			kept = append(kept, padding(a.whole))
		}
	}
	f := frame(b)
	return message(f.flags(), f.command(), f.application(), f.hopByHop(), f.endToEnd(), kept...)
}

// What is unknown is passed over, and so is what a client sends back of an answer.
func TestTransferUnknownIsIgnored(t *testing.T) {
	t.Parallel()
	want, _, _ := decodeTransferBytes(t, transferOf(0, nil, quarterHour), everything(), gateway)
	for name, b := range map[string][]byte{
		"parameters":        transferOf(0, map[parameter][]string{99: {"x", "y"}, paramFee: {"abc"}, paramLot: {"1;;plan", "2;;gift"}}, quarterHour),
		"vendor":            transferOf(0, nil, quarterHour, appendAVP(nil, 1000, 777, 0, []byte{1})),
		"inside":            transferOf(0, nil, quarterHour, groupIETF(avp.ServiceParameterInfo, number(avp.ServiceParameterType, 50), text(avp.ServiceParameterValue, "x"), text(9999, "y"))),
		"number with plus":  transferOf(0, map[parameter][]string{paramCounterparty: {"tel:+491700000002"}}, quarterHour),
		"number with zeros": transferOf(0, map[parameter][]string{paramCounterparty: {"tel:00491700000002"}}, quarterHour),
	} {
		got, _, refused := decodeTransferBytes(t, b, everything(), gateway)
		if refused != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, refused %+v, want %+v", name, got, refused, want)
		}
	}
	if want.Request.Reference != "ussd1.gw.test;1;1" {
		t.Errorf("the reference is %q, want the Session-Id", want.Request.Reference)
	}
}

// A Session-Id that cannot be a reference makes one all the same, and always the same one.
func TestTransferReferenceOfSession(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 200)
	first, second := referenceOfSession(long), referenceOfSession(long+"b")
	if first == second || first != referenceOfSession(long) || !isVisible(first) {
		t.Errorf("got %q and %q", first, second)
	}
}

// Who may ask for what, and who may show a credential, is configured.
func TestTransferPermissions(t *testing.T) {
	t.Parallel()
	pin := transferOf(0, map[parameter][]string{paramCredential: {secretPIN}}, quarterHour)
	vouched := transferOf(0, map[parameter][]string{paramCredentialType: {"2"}}, quarterHour)
	plain := transferOf(0, nil, quarterHour)
	peer := func(secure bool, p Peer) sender { return sender{peer: p, host: "gw", secure: secure} }
	none := everything()
	none.Operations = nil
	open := everything()
	open.PlainCredentials = true
	for _, c := range []struct {
		name   string
		b      []byte
		config *Transfers
		from   sender
		code   uint32 // 0: served
	}{
		{"nothing is said about the peer", plain, none, gateway, 5003},
		{"the peer has a list", plain, none, peer(false, Peer{Transfers: []transfer.Operation{transfer.OpSend}}), 0},
		{"the peer has another list", plain, everything(), peer(false, Peer{Transfers: []transfer.Operation{transfer.OpQuote}}), 5003},
		{"the peer has an empty list", plain, everything(), peer(false, Peer{Transfers: []transfer.Operation{}}), 5003},
		{"a PIN without TLS", pin, everything(), peer(false, Peer{}), 5008},
		{"a PIN with TLS", pin, everything(), peer(true, Peer{}), 0},
		{"a PIN without TLS, as configured", pin, open, peer(false, Peer{}), 0},
		{"a peer that may not vouch", vouched, everything(), peer(true, Peer{}), 5003},
		{"a peer that vouches", vouched, everything(), peer(true, Peer{Vouches: true}), 0},
	} {
		r, _, refused := decodeTransferBytes(t, c.b, c.config, c.from)
		switch {
		case c.code == 0 && refused != nil, c.code != 0 && (refused == nil || refused.code != c.code):
			t.Errorf("%s: refused %+v, want %d", c.name, refused, c.code)
		case r.Vouched != c.from.peer.Vouches:
			t.Errorf("%s: vouched %t", c.name, r.Vouched)
		}
	}
}

// A pay-out is confirmed by its receiver, with the code in either place.
func TestTransferPayout(t *testing.T) {
	t.Parallel()
	for name, parameters := range map[string]map[parameter][]string{
		"one-time password": {paramCredentialType: {"1"}, paramCredential: {"8814"}},
		"pay-out code":      {paramPayout: {"8814"}},
	} {
		parameters[paramOperation], parameters[paramReference] = []string{"3"}, []string{"GZFA-VFQF-6"}
		r, _, refused := decodeTransferBytes(t, transferOf(0, parameters), everything(), gateway)
		if refused != nil || r.Payout != "8814" || r.PIN != "" || r.Request.By != transfer.ByReceiver {
			t.Errorf("%s: got %+v, refused %+v", name, r, refused)
		}
	}
}

// No octets of a peer panic the decoder or make it tell a credential, whatever the profile.
func FuzzDecodeTransfer(f *testing.F) {
	for _, name := range []string{"send", "vendor", "3gpp", "reverse", "confirm"} {
		f.Add(readHex(f, "testdata/transfer_"+name+".hex")[headerLength:])
	}
	f.Add(transferOf(0, map[parameter][]string{paramCredential: {secretPIN}}, quarterHour)[headerLength:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 64<<10 || len(body)%4 != 0 {
			return
		}
		b := message(0xC0, diam.CreditControl, creditControl, 1, 2, body)
		g := guard{rules: &guardRules{limit: 128 << 10, depth: depthLimit, shapes: shapesOf(parserOf(t), 0, creditControl)}}
		if g.checkRequest(b) != nil {
			return
		}
		m, err := diam.ReadMessage(bytes.NewReader(b), parserOf(t))
		if err != nil {
			return
		}
		keepFrame(m, b)
		r, ticket, refused := decodeTransfer(m, everything(), gateway)
		if refused != nil {
			answer := questionIn(b).appendRefusalTo(nil, ocs1, refused)
			if frame(answer).length() != len(answer) {
				t.Errorf("an answer of %d octets says %d", len(answer), frame(answer).length())
			}
			return
		}
		if o := r.Request; o.Operation > transfer.OpDecline || o.Seconds < 0 || !isText(o.Counterparty+o.Reference+o.Note+o.QuoteID+r.PIN+r.Payout) ||
			!o.Operation.ReadsOnly() && !isVisible(o.Reference) {
			t.Errorf("served as %+v", r)
		}
		for _, refusal := range transfer.Refusals() {
			ticket.appendAnswer(nil, ocs1, questionIn(b), transfer.Answer{Refusal: refusal}, time.Time{})
		}
	})
}
