package diameter

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// inWords shows a value with what its pointers point at.
func inWords(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestConditions(t *testing.T) {
	t.Parallel()
	sms := func(avps ...[]byte) []byte {
		return group3GPP(avp.ServiceInformation, group3GPP(avp.SMSInformation, avps...))
	}
	ps := func(avps ...[]byte) []byte {
		return group3GPP(avp.ServiceInformation, group3GPP(avp.PSInformation, avps...))
	}
	recipient := func(avps ...[]byte) []byte {
		return group3GPP(avp.RecipientInfo, group3GPP(avp.RecipientAddress, avps...))
	}
	for _, c := range []struct {
		name string
		avps [][]byte
		want *ocs.Conditions
	}{
		{"GY-168 no Service-Information", nil, nil},
		{"Service-Information that tells nothing", [][]byte{ims()}, nil},
		{"role terminating", [][]byte{ims(number3GPP(avp.RoleOfNode, 1))}, &ocs.Conditions{Direction: rating.Terminating, RoleGiven: true}},
		{"role that is not defined", [][]byte{ims(number3GPP(avp.RoleOfNode, 7))}, nil},
		{"first calling number", [][]byte{ims(text3GPP(avp.CallingPartyAddress, "unknown"), text3GPP(avp.CallingPartyAddress, "tel:+491"), text3GPP(avp.CallingPartyAddress, "tel:+492"))},
			&ocs.Conditions{Calling: "tel:+491"}},
		{"calling party that is no number", [][]byte{ims(text3GPP(avp.CallingPartyAddress, "sip:anonymous@anonymous.invalid"))}, &ocs.Conditions{Calling: "sip:anonymous@anonymous.invalid"}},
		{"called party is what was dialled", [][]byte{ims(text3GPP(avp.RequestedPartyAddress, "tel:+4930"), text3GPP(avp.CalledPartyAddress, "tel:+4930"))}, &ocs.Conditions{Called: "tel:+4930"}},
		{"empty called party", [][]byte{ims(text3GPP(avp.CalledPartyAddress, ""))}, nil},
		{"cause below zero", [][]byte{ims(number3GPP(avp.CauseCode, 0xffffffff))}, &ocs.Conditions{CauseCode: new(int32(-1))}},
		{"access network before visited network, in any order", [][]byte{ims(
			text3GPP(avp.IMSVisitedNetworkIdentifier, "ims.mnc001.mcc262.3gppnetwork.org"),
			text3GPP(avp.AccessNetworkInformation, "3GPP-GERAN;cgi-3gpp=2080112345678"))}, &ocs.Conditions{Network: "20801"}},
		{"serving node before user location", [][]byte{ps(text3GPP(avp.TGPPUserLocationInfo, "\x01\x62\xf2\x10\x00"), text3GPP(avp.TGPPSGSNMCCMNC, "20801"))}, &ocs.Conditions{Network: "20801"}},
		{"user location of one octet", [][]byte{ps(text3GPP(avp.TGPPUserLocationInfo, "\x01"))}, nil},
		{"GY-184 3GPP AVPs with and without M", [][]byte{ps(appendText(nil, avp.TGPPSGSNMCCMNC, vendor3GPP, 0, "20801"))}, &ocs.Conditions{Network: "20801"}},
		{"GY-185 User-Equipment-Info inside and beside", [][]byte{
			groupIETF(avp.UserEquipmentInfo, number(avp.UserEquipmentInfoType, 0), text(avp.UserEquipmentInfoValue, "\x53\x00\x00\x10")),
			ps(groupIETF(avp.UserEquipmentInfo, number(avp.UserEquipmentInfoType, 0), text(avp.UserEquipmentInfoValue, "3500000000000001")), text(30, "internet")),
		}, &ocs.Conditions{APN: "internet"}},
		{"GY-182 recipients of every kind", [][]byte{sms(
			recipient(number3GPP(avp.AddressType, 1), text3GPP(avp.AddressData, "4930")), recipient(number3GPP(avp.AddressType, 4), text3GPP(avp.AddressData, "22333")),
			recipient(number3GPP(avp.AddressType, 7), text3GPP(avp.AddressData, "262010000000001")), recipient())},
			&ocs.Conditions{Recipients: []string{"4930", "22333", "", ""}}},
		{"GY-181 delivery report", [][]byte{sms(number3GPP(avp.SMMessageType, 1))}, &ocs.Conditions{DeliverReport: true}},
		{"message received", [][]byte{sms(group3GPP(avp.OriginatorInterface, number3GPP(avp.InterfaceType, 2)), group3GPP(avp.OriginatorReceivedAddress, text3GPP(avp.AddressData, "4930")))},
			&ocs.Conditions{Direction: rating.Terminating, RoleGiven: true, Calling: "4930"}},
		{"diverted call without a role", [][]byte{group3GPP(avp.ServiceInformation, group3GPP(avp.MMTelInformation, group3GPP(avp.SupplementaryService, number3GPP(avp.MMTelSServiceType, 6))))},
			&ocs.Conditions{Direction: rating.Forwarding, RoleGiven: true}},
		{"conference is no diversion", [][]byte{group3GPP(avp.ServiceInformation, group3GPP(avp.MMTelInformation, group3GPP(avp.SupplementaryService, number3GPP(avp.MMTelSServiceType, 10))))}, nil},
		{"VLR before MSC, in any order", [][]byte{group3GPP(avp.ServiceInformation, group3GPP(avp.VCSInformation, text3GPP(avp.MSCAddress, "\x94\x71"), text3GPP(avp.VLRNumber, "\x33\x06")))},
			&ocs.Conditions{ServingNode: "3360"}},
	} {
		if got := mustDecode(t, creditRequest(1, 0, c.avps...)).Conditions; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, inWords(got), inWords(c.want))
		}
	}
}

func TestGY_172_Emergency(t *testing.T) {
	t.Parallel()
	teleservice := func(code string) []byte {
		return group3GPP(avp.ServiceInformation, group3GPP(avp.VCSInformation, group3GPP(avp.BasicServiceCode, text3GPP(avp.Teleservice, code))))
	}
	flag := func(n uint32) []byte {
		return group3GPP(avp.ServiceInformation, group3GPP(avp.PSInformation, number3GPP(avp.IMSIUnauthenticatedFlag, n)))
	}
	for _, c := range []struct {
		name string
		avp  []byte
		want bool
	}{
		{"indicator", ims(number3GPP(avp.IMSEmergencyIndicator, 1)), true},
		{"indicator 0", ims(number3GPP(avp.IMSEmergencyIndicator, 0)), false},
		{"called URN", ims(text3GPP(avp.CalledPartyAddress, "urn:service:sos")), true},
		{"called URN of a kind", ims(text3GPP(avp.CalledPartyAddress, "URN:service:SOS.police")), true},
		{"dialled URN", ims(text3GPP(avp.CalledPartyAddress, "tel:+4930"), text3GPP(avp.RequestedPartyAddress, "urn:service:sos.fire")), true},
		{"another URN", ims(text3GPP(avp.CalledPartyAddress, "urn:service:sosiege")), false},
		{"a number is found by the rules, not here", ims(text3GPP(avp.CalledPartyAddress, "tel:112")), false},
		{"teleservice emergency", teleservice("\x12"), true},
		{"teleservice telephony", teleservice("\x11"), false},
		{"GY-173 unauthenticated", flag(1), true},
		{"authenticated", flag(0), false},
	} {
		if got := mustDecode(t, creditRequest(1, 0, c.avp)).Emergency; got != c.want {
			t.Errorf("%s: emergency %t, want %t", c.name, got, c.want)
		}
	}
}
