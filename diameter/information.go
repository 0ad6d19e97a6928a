package diameter

import (
	"encoding/hex"
	"strings"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// An information is what Service-Information and vendors' groups tell of a call, message or data session. An AVP that
// nobody here knows is passed over in them, M bit or not: fielded clients set it on extensions that they do not mean
// (spec/gy 1.7).
type information struct {
	ocs.Conditions
	emergency bool
	rated     bool // anything at all was told
	network   place
	node      place
	caller    bool   // Calling is a number
	reference string // Network-Call-Reference-Number
	msc       string // MSC-Address
}

// A place ranks the AVPs that tell a location: the first in this order that can be read is taken (spec/gy 3.19).
type place uint8

const (
	noPlace place = iota
	placeAccessNetwork
	placeVisitedNetwork
	placeServingNode
	placeUserLocation
)

const (
	placeVLR place = 1 + iota
	placeMSC
)

// conditions returns what was told, or nil: then the conditions of an earlier request stay in force.
func (i *information) conditions() *ocs.Conditions {
	if !i.rated {
		return nil
	}
	c := i.Conditions
	if c.Dialled == c.Called {
		c.Dialled = ""
	}
	if c.ICID == "" && i.reference != "" { // unique together with the switch that chose it (TS 23.078)
		c.ICID = hex.EncodeToString([]byte(i.reference)) + "@" + i.msc
	}
	return &c
}

func (i *information) setRole(d rating.Direction) {
	i.Direction, i.RoleGiven, i.rated = d, true, true
}

// setNetwork takes the serving network from an AVP of this rank; empty: it could not be read.
func (i *information) setNetwork(rank place, plmn string) {
	if plmn != "" && (i.network == noPlace || rank < i.network) {
		i.network, i.Network, i.rated = rank, plmn, true
	}
}

// setNode takes the E.164 digits of the serving VLR or MSC.
func (i *information) setNode(rank place, digits string) {
	if digits != "" && (i.node == noPlace || rank < i.node) {
		i.node, i.ServingNode, i.rated = rank, digits, true
	}
}

// setText takes the first text that is told for a condition.
func (d *decoder) setText(to *string, a *diam.AVP) {
	if *to == "" && octets(a) != "" {
		*to, d.told.rated = d.text(a, maxText), true
	}
}

// setCalling takes a Calling-Party-Address. There may be a SIP and a tel URI; the first that is a number counts.
func (d *decoder) setCalling(a *diam.AVP) {
	if octets(a) == "" || d.told.caller {
		return
	}
	address := d.text(a, maxText)
	_, isNumber := rating.ParseNumber(address)
	if isNumber || d.told.Calling == "" {
		d.told.Calling, d.told.caller, d.told.rated = address, isNumber, true
	}
}

// setCalled takes an address that may be the called party, and may be an emergency service.
func (d *decoder) setCalled(to *string, a *diam.AVP) {
	d.setText(to, a)
	if isEmergencyURN(octets(a)) {
		d.told.emergency = true
	}
}

// isEmergencyURN reports whether a party is urn:service:sos or one of its kinds (RFC 5031 §4.2).
func isEmergencyURN(address string) bool {
	const sos = "urn:service:sos"
	return len(address) >= len(sos) && strings.EqualFold(address[:len(sos)], sos) &&
		(len(address) == len(sos) || address[len(sos)] == '.' || address[len(sos)] == '@' || address[len(sos)] == ';')
}

// foreign passes over an AVP of these groups. From a peer that is held to the letter one that nobody knows, with the M bit, is
// refused (RFC 6733 §4.1).
func (d *decoder) foreign(a *diam.AVP) {
	if !isUnknown(a) {
		return
	}
	if d.peer.Strict {
		d.unlisted(a)
		return
	}
	d.unknown++
}

// serviceInformation reads Service-Information (TS 32.299 §7.2.192).
func (d *decoder) serviceInformation(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case avp.SubscriptionID:
			d.subscription(member, false)
		case tgpp | avp.IMSInformation:
			d.imsInformation(member)
		case tgpp | avp.VCSInformation:
			d.vcsInformation(member)
		case tgpp | avp.PSInformation:
			d.psInformation(member)
		case tgpp | avp.SMSInformation:
			d.smsInformation(member)
		case tgpp | avp.MMTelInformation:
			d.mmtelInformation(member)
		case huawei | huaweiINInformation:
			d.inInformation(member)
		case tgpp | avp.RefundInformation:
			d.refunds(member)
		default:
			d.foreign(member)
		}
	}
}

// imsInformation reads IMS-Information (TS 32.260, TS 32.275).
func (d *decoder) imsInformation(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.RoleOfNode:
			d.role(member)
		case tgpp | avp.CallingPartyAddress:
			d.setCalling(member)
		case tgpp | avp.CalledPartyAddress:
			d.setCalled(&d.told.Called, member)
		case tgpp | avp.RequestedPartyAddress:
			d.setCalled(&d.told.Dialled, member)
		case tgpp | avp.IMSChargingIdentifier:
			d.setText(&d.told.ICID, member)
		case tgpp | avp.TimeStamps:
			d.timeStamps(member)
		case tgpp | avp.CauseCode:
			d.told.CauseCode, d.told.rated = new(int32(number32(member))), true //nolint:gosec // G115: an Integer32
		case tgpp | avp.AccessNetworkInformation:
			d.told.setNetwork(placeAccessNetwork, accessNetworkPLMN(octets(member)))
		case tgpp | avp.IMSVisitedNetworkIdentifier:
			d.told.setNetwork(placeVisitedNetwork, visitedNetworkPLMN(octets(member)))
		case tgpp | avp.IMSEmergencyIndicator:
			d.told.emergency = d.told.emergency || number32(member) == 1
		default:
			d.foreign(member)
		}
	}
}

// role reads a Role-Of-Node. One that is not defined counts as absent (TS 32.299 §7.2.177).
func (d *decoder) role(a *diam.AVP) {
	switch number32(a) {
	case 0:
		d.told.setRole(rating.Originating)
	case 1:
		d.told.setRole(rating.Terminating)
	case 2:
		d.told.setRole(rating.Forwarding)
	}
}

func (d *decoder) timeStamps(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.SIPRequestTimestamp:
			d.told.CallStart, d.told.rated = timeOf(member), true
		case tgpp | avp.SIPResponseTimestamp:
			d.told.Answered, d.told.rated = timeOf(member), true
		default:
			d.foreign(member)
		}
	}
}

// mmtelInformation reads MMTel-Information (TS 32.275). A diverted call is rated as forwarded where no role says so.
func (d *decoder) mmtelInformation(a *diam.AVP) {
	const callDiversion = 6
	for _, service := range members(a) {
		if avpKey(service.VendorID, service.Code) != tgpp|avp.SupplementaryService {
			continue
		}
		for _, member := range members(service) {
			isType := avpKey(member.VendorID, member.Code) == tgpp|avp.MMTelSServiceType
			if isType && number32(member) == callDiversion && !d.told.RoleGiven {
				d.told.setRole(rating.Forwarding)
			}
		}
	}
}

// vcsInformation reads VCS-Information (TS 32.276). The parties of the call are in IMS-Information beside it.
func (d *decoder) vcsInformation(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.NetworkCallReferenceNumber:
			d.told.reference, d.told.rated = octets(member)[:min(len(octets(member)), 32)], true
		case tgpp | avp.MSCAddress:
			d.told.msc = telephoneDigits(octets(member))
			d.told.setNode(placeMSC, d.told.msc)
		case tgpp | avp.VLRNumber:
			d.told.setNode(placeVLR, telephoneDigits(octets(member)))
		case tgpp | avp.BasicServiceCode:
			d.basicService(member)
		case tgpp | avp.ISUPCause:
			d.isupCause(member)
		case tgpp | avp.StartTime:
			d.told.CallStart, d.told.rated = timeOf(member), true
		case tgpp | avp.StartofCharging:
			d.told.Answered, d.told.rated = timeOf(member), true
		default:
			d.foreign(member)
		}
	}
}

// basicService finds an emergency call by its teleservice (TS 29.002 §17.7.10).
func (d *decoder) basicService(a *diam.AVP) {
	const emergencyCalls = "\x12"
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) == tgpp|avp.Teleservice && strings.HasPrefix(octets(member), emergencyCalls) {
			d.told.emergency = true
		}
	}
}

func (d *decoder) isupCause(a *diam.AVP) {
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) == tgpp|avp.ISUPCauseValue {
			d.told.CauseCode, d.told.rated = new(int32(number32(member)&0x7f)), true // seven bits (Q.850)
		}
	}
}

// psInformation reads PS-Information (TS 32.251).
func (d *decoder) psInformation(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.TGPPSGSNMCCMNC:
			d.told.setNetwork(placeServingNode, servingPLMN(octets(member)))
		case tgpp | avp.TGPPUserLocationInfo:
			d.told.setNetwork(placeUserLocation, userLocationPLMN(octets(member)))
		case avp.CalledStationID:
			d.setText(&d.told.APN, member)
		case tgpp | avp.StartTime:
			d.told.CallStart, d.told.rated = timeOf(member), true
		case tgpp | avp.IMSIUnauthenticatedFlag: // an emergency bearer without a subscription
			d.told.emergency = d.told.emergency || number32(member) == 1
		default:
			d.foreign(member)
		}
	}
}

// smsInformation reads SMS-Information (TS 32.274).
func (d *decoder) smsInformation(a *diam.AVP) {
	const deliveryReport = 1
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.RecipientInfo:
			d.recipientInfo(member)
		case tgpp | avp.OriginatorInterface:
			d.originatorInterface(member)
		case tgpp | avp.OriginatorAddress, tgpp | avp.OriginatorReceivedAddress:
			d.originator(member)
		case tgpp | avp.OriginatorSCCPAddress:
			d.told.setNode(placeMSC, e164Address(octets(member)))
		case tgpp | avp.SMMessageType:
			d.told.DeliverReport, d.told.rated = number32(member) == deliveryReport, true
		case tgpp | avp.NumberOfMessagesSent:
			d.told.MessageCount, d.told.rated = number32(member), true
		default:
			d.foreign(member)
		}
	}
}

// recipientInfo adds one recipient: its number, or nothing where none can be read, because it is charged all the same.
func (d *decoder) recipientInfo(a *diam.AVP) {
	if d.recipient++; d.recipient > maxRecipients {
		d.tooMany(a, &d.surplus)
		return
	}
	number := ""
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) != tgpp|avp.RecipientAddress {
			continue
		}
		if found, readable := d.address(member); number == "" && readable {
			number = found
		}
	}
	d.told.Recipients, d.told.rated = append(d.told.Recipients, number), true
}

func (d *decoder) originator(a *diam.AVP) {
	if number, readable := d.address(a); readable && d.told.Calling == "" {
		d.told.Calling, d.told.rated = number, true
	}
}

// address reads a Recipient-Address or Originator-Address. An IMSI is none that a tariff has a prefix for.
func (d *decoder) address(a *diam.AVP) (number string, readable bool) {
	const msisdn, imsi = 1, 7
	var kind uint32
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.AddressType:
			if kind = number32(member); kind == imsi {
				return "", false
			}
		case tgpp | avp.AddressData:
			if octets(member) != "" {
				number, readable = d.text(member, maxText), true
			}
		default:
			d.foreign(member)
		}
	}
	if kind == msisdn {
		number = international(number)
	}
	return number, readable
}

// international returns an MSISDN with its plus, which SMSCs leave out: it has its country code (TS 23.003 §3.3). What begins with a
// zero or is as short as a short code is a number as it was dialled, whatever its Address-Type says.
func international(number string) string {
	const shortest = 8
	if len(number) < shortest || number[0] == '0' || strings.Trim(number, "0123456789") != "" {
		return number
	}
	return "+" + number
}

// originatorInterface finds the direction of a message by where it came from: 1 and 3 are sent by a subscriber or an
// application, 2 and 4 are received (TS 32.299 §7.2.81).
func (d *decoder) originatorInterface(a *diam.AVP) {
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) != tgpp|avp.InterfaceType {
			continue
		}
		switch number32(member) {
		case 1, 3:
			d.told.setRole(rating.Originating)
		case 2, 4:
			d.told.setRole(rating.Terminating)
		}
	}
}

// e164Address returns the digits of an Address of family 8, which is E.164 (IANA address family numbers).
func e164Address(address string) string {
	digits, ok := strings.CutPrefix(address, "\x00\x08")
	if !ok {
		return ""
	}
	return telephoneDigits(digits)
}

// inInformation reads IN-Information of Huawei, which gateways of circuit-switched calls send (spec/gy 3.22).
func (d *decoder) inInformation(a *diam.AVP) {
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case huawei | huaweiCallingPartyAddress, tgpp | avp.CallingPartyAddress:
			d.setCalling(member)
		case huawei | huaweiCalledPartyAddress, tgpp | avp.CalledPartyAddress, huawei | huaweiRealCalledNumber:
			d.setCalled(&d.told.Called, member)
		case huawei | huaweiCallReferenceNumber:
			d.setText(&d.told.ICID, member)
		case huawei | huaweiCallingVLRNumber:
			d.told.setNode(placeVLR, telephoneDigits(octets(member)))
		case huawei | huaweiMSCAddress:
			d.told.setNode(placeMSC, telephoneDigits(octets(member)))
		case huawei | huaweiChargeFlowType:
			switch number32(member) {
			case 0:
				d.told.setRole(rating.Originating)
			case 1:
				d.told.setRole(rating.Terminating)
			}
		default:
			d.foreign(member)
		}
	}
}

// otherParty reads Other-Party-Id of Ericsson's SCAP, which stands at command level.
func (d *decoder) otherParty(a *diam.AVP) {
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) == ericsson|ericssonOtherPartyIDData {
			d.setCalled(&d.told.Called, member)
		}
	}
}
