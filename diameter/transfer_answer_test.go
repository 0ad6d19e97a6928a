package diameter

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// answeredTransfer encodes an answer to the request b and returns it with its AVPs.
func answeredTransfer(t *testing.T, b []byte, config *Transfers, a transfer.Answer) (frame, []walked) {
	t.Helper()
	_, ticket, refused := decodeTransferBytes(t, b, config, gateway)
	if refused != nil {
		t.Fatalf("refused with %d %q", refused.code, refused.text)
	}
	f := frame(ticket.appendAnswer(nil, ocs1, questionIn(b), a, noon))
	if f.length() != len(f) {
		t.Fatalf("Message Length %d of %d octets", f.length(), len(f))
	}
	return f, walkAVPs(t, f[headerLength:])
}

// told returns the parameters of an answer in profile A, as type=value.
func told(t *testing.T, f frame) (all []string) {
	t.Helper()
	for _, a := range findAVPs(f, avp.ServiceParameterInfo) {
		var kind uint32
		var value string
		for m := range rawAVPs(a.data) {
			if m.flags != mandatory {
				t.Errorf("AVP %d has flags %#x", m.code, m.flags)
			}
			if m.is(avp.ServiceParameterType) {
				kind = m.unsigned32()
			} else {
				value = string(m.data)
			}
		}
		all = append(all, fmt.Sprintf("%d=%s", kind, value))
	}
	return all
}

// The failure table of spec/transfer 4.5, as this interface tells it: written down here once more, by number.
func TestTransferRefusalTable(t *testing.T) {
	t.Parallel()
	counterparty, reference := parameterAVP(paramCounterparty, "tel:491700000002"), parameterAVP(paramClientReference, "r1")
	original := parameterAVP(paramOriginal, "GZFA-VFQF-6")
	type row struct {
		experimental, fallback uint32
		failed                 []byte
	}
	table := map[transfer.Refusal]row{
		transfer.SenderUnknown:       {0, 5030, nil},
		transfer.ReceiverUnknown:     {5101, 5004, counterparty},
		transfer.SameParty:           {5102, 5004, counterparty},
		transfer.NotEnough:           {0, 4012, nil},
		transfer.NotTransferable:     {4103, 4012, nil},
		transfer.MinimumRemaining:    {4104, 4012, nil},
		transfer.BelowMinimum:        {5105, 5004, quarterHour},
		transfer.AboveMaximum:        {5106, 5004, quarterHour},
		transfer.WrongStep:           {5107, 5004, quarterHour},
		transfer.DayCountLimit:       {4108, 4010, nil},
		transfer.DaySecondsLimit:     {4109, 4010, nil},
		transfer.MonthCountLimit:     {4110, 4010, nil},
		transfer.MonthSecondsLimit:   {4111, 4010, nil},
		transfer.PairLimit:           {4112, 4010, nil},
		transfer.ReceiverLimit:       {4113, 4010, nil},
		transfer.ReceiverFull:        {4114, 4010, nil},
		transfer.SenderNotEligible:   {5115, 4010, nil},
		transfer.ReceiverNotEligible: {5116, 4010, nil},
		transfer.KindNotAllowed:      {5117, 4010, nil},
		transfer.SenderFrozen:        {5118, 4010, nil},
		transfer.ReceiverFrozen:      {5119, 4010, nil},
		transfer.ReceiverDeclines:    {5120, 4010, nil},
		transfer.WrongPIN:            {0, 4001, nil},
		transfer.PINNeeded:           {0, 4001, nil},
		transfer.PINLocked:           {5121, 5003, nil},
		transfer.PINMustChange:       {5122, 5003, nil},
		transfer.CoolingOff:          {4123, 4010, nil},
		transfer.RiskRefused:         {4124, 4010, nil},
		transfer.QuoteExpired:        {4125, 5031, nil},
		transfer.FeeTooHigh:          {4126, 5031, nil},
		transfer.NoFeeRule:           {0, 5031, nil},
		transfer.ReferenceReused:     {5127, 5004, reference},
		transfer.OriginalUnknown:     {5128, 5004, original},
		transfer.AlreadyDone:         {5129, 5004, original},
		transfer.WindowClosed:        {5130, 5004, original},
		transfer.NotReversible:       {5131, 5004, original},
		transfer.AlreadySpent:        {4132, 4012, nil},
		transfer.Stopped:             {4133, 4010, nil},
		transfer.RepeatSuspected:     {4134, 4010, nil},
		transfer.NotConfirmed:        {4135, 4010, nil},
		transfer.WrongCode:           {4136, 4001, nil},
		transfer.Malformed:           {0, 5004, parameterAVP(paramOperation, "5")},
		transfer.Incomplete:          {0, 5005, parameterAVP(paramCredential, "")},
	}
	b := transferOf(uint32(ocs.RefundAccount), map[parameter][]string{
		paramOperation: {"5"}, paramClientReference: {"r1"}, paramOriginal: {"GZFA-VFQF-6"},
	}, quarterHour)
	for _, experimental := range []bool{false, true} {
		config := everything()
		config.Experimental = experimental
		for _, refusal := range transfer.Refusals() {
			want, ok := table[refusal]
			if !ok {
				t.Errorf("%s is not in the table", refusal)
				continue
			}
			f, avps := answeredTransfer(t, b, config, transfer.Answer{Refusal: refusal, RetryAfter: 90*time.Minute + 1, Status: transfer.Failed})
			wantResult(t, f, want.fallback)
			wantFailed(t, f, want.failed)
			refused := want.experimental
			if refused == 0 {
				refused = want.fallback
			}
			parameters := told(t, f)
			for _, p := range []string{fmt.Sprintf("17=%d", refused), "18=5401", "16=failed", "22=" + (transfer.Answer{Refusal: refusal, RetryAfter: 90*time.Minute + 1}).Say("en")} {
				if !slices.Contains(parameters, p) {
					t.Errorf("%s: parameters %q, want %s", refusal, parameters, p)
				}
			}
			results := findAVPs(f, avp.ExperimentalResult)
			if wanted := experimental && want.experimental != 0; len(results) == 1 != wanted {
				t.Errorf("%s: %d Experimental-Results in %v", refusal, len(results), avps)
			} else if wanted && !bytes.Equal(results[0].data, slices.Concat(number(avp.VendorID, DocumentationVendorID), number(avp.ExperimentalResultCode, want.experimental))) {
				t.Errorf("%s: Experimental-Result %x", refusal, results[0].data)
			}
			if len(findAVPs(f, avp.GrantedServiceUnit)) > 0 || len(findAVPs(f, avp.CostInformation)) > 0 {
				t.Errorf("%s: units or cost in a refusal: %v", refusal, avps)
			}
		}
	}
}

const transferSkeleton = `263="ussd1.gw.test;1;1" 268=%d 264="ocs1.ocs.test" 296="ocs.test" 258=4 416=4 415=0 418=1 278=4711 `

// What was decided comes out in standard AVPs, and in parameters.
func TestTransferAnswers(t *testing.T) {
	t.Parallel()
	purse := &transfer.Purse{Total: 9240, Movable: 6000, InUse: 1800}
	lots := []transfer.LotLine{
		{Seconds: 600, ExpiresAt: time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC), Class: "purchased"}, {Seconds: 300, Class: "gift"},
	}
	parameters := func(o string) map[parameter][]string { return map[parameter][]string{paramOperation: {o}} }
	stored := func(o string) map[parameter][]string {
		return map[parameter][]string{paramOperation: {o}, paramOriginal: {"GZFA-VFQF-6"}}
	}
	for _, c := range []struct {
		name   string
		action ocs.Action
		ask    map[parameter][]string
		answer transfer.Answer
		code   int
		want   string // after the skeleton, before the parameters
		told   []string
	}{
		{"quote", ocs.PriceEnquiry, parameters("0"), transfer.Answer{
			QuoteID: "GZFA-VFQF-6", Seconds: 900, Fee: 60, Bearer: transfer.Originator, ValidTo: noon.Add(5 * time.Minute), Lots: lots,
			Name: "KIM M***", Purse: purse,
		}, 2001, "423{445{447=1} 425=999 424=\"min\"} 428=0 448=300",
			[]string{"8=60", "10=GZFA-VFQF-6", "19=6000/9240", "20=600;2026-06-30T22:00:00Z;purchased", "20=300;;gift", "21=KIM M***"}},
		{"send", ocs.DirectDebiting, parameters("1"), transfer.Answer{
			Status: transfer.Completed, Reference: "GZFA-VFQF-6", Seconds: 900, Fee: 45, Bearer: transfer.Originator, Purse: purse, Left: 9240, Name: "KIM M***",
		}, 2001, "431{420=900} 423{445{447=45} 425=999 424=\"second\"} 428=0",
			[]string{"5=GZFA-VFQF-6", "8=45", "16=completed", "19=6000/9240", "21=KIM M***", "22=Sent 15 min to KIM M***. Fee 45 s. Ref GZFA-VFQF-6. You have 154 min."}},
		{"free", ocs.DirectDebiting, parameters("1"), transfer.Answer{Status: transfer.Completed, Reference: "GZFA-VFQF-6", Seconds: 900}, 2001,
			"431{420=900} 423{445{447=0} 425=999 424=\"min\"} 428=0", []string{"5=GZFA-VFQF-6", "8=0", "16=completed"}},
		{"waits for consent", ocs.DirectDebiting, parameters("1"), transfer.Answer{
			Status: transfer.Pending, Reference: "GZFA-VFQF-6", Seconds: 900, ValidTo: noon.Add(24 * time.Hour),
		}, 2002, "423{445{447=0} 425=999 424=\"min\"} 428=0 448=86400", []string{"5=GZFA-VFQF-6", "8=0", "16=pending"}},
		{"prepared", ocs.DirectDebiting, parameters("2"), transfer.Answer{
			Status: transfer.Pending, Reference: "GZFA-VFQF-6", Seconds: 900, ValidTo: noon.Add(-time.Hour),
		}, 2002, "423{445{447=0} 425=999 424=\"min\"} 428=0 448=1", []string{"5=GZFA-VFQF-6", "8=0", "16=pending"}},
		{"enquiry moves nothing", ocs.CheckBalance, stored("8"), transfer.Answer{
			Status: transfer.Completed, Reference: "GZFA-VFQF-6", Seconds: 900, Fee: 60,
		}, 2001, "423{445{447=1} 425=999 424=\"min\"} 428=0", []string{"5=GZFA-VFQF-6", "8=60", "16=completed"}},
		{"allowance is enough", ocs.CheckBalance, parameters("9"), transfer.Answer{Purse: purse, May: 900}, 2001, "422=0 428=0", []string{"19=900/9240"}},
		{"allowance is too little", ocs.CheckBalance, parameters("9"), transfer.Answer{Purse: purse, May: 899}, 2001, "422=1 428=0", []string{"19=899/9240"}},
		{"claim filed", ocs.RefundAccount, stored("5"), transfer.Answer{
			Status: transfer.Pending, Reference: "0000-0000-0", Original: "GZFA-VFQF-6", Seconds: 900, ValidTo: noon.Add(time.Hour),
		}, 2002, "423{445{447=0} 425=999 424=\"min\"} 428=0 448=3600", []string{"5=0000-0000-0", "6=GZFA-VFQF-6", "8=0", "16=pending"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, avps := answeredTransfer(t, transferOf(uint32(c.action), c.ask, quarterHour), everything(), c.answer)
			avps = slices.DeleteFunc(avps, func(a walked) bool { return a.code == avp.ServiceParameterInfo })
			if got, want := strings.Trim(fmt.Sprint(avps), "[]"), fmt.Sprintf(transferSkeleton, c.code)+c.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := told(t, f); !slices.Equal(got, c.told) {
				t.Errorf("told %q\nwant %q", got, c.told)
			}
		})
	}
}

// An answer is in the profile of its request, with the vendor of its request.
func TestTransferAnswerKeepsTheProfile(t *testing.T) {
	t.Parallel()
	answer := transfer.Answer{
		Status: transfer.Completed, Reference: "GZFA-VFQF-6", Kind: transfer.Gift, Seconds: 900, Fee: 60, Bearer: transfer.Receiver,
		Purse: &transfer.Purse{Total: 9240, Movable: 6000}, Lots: []transfer.LotLine{{Seconds: 840, Class: "gift", ExpiresAt: noon}},
	}
	b := readHex(t, "testdata/transfer_vendor.hex")
	other := bytes.ReplaceAll(b, []byte{0, 0, 0x7e, 0xd9}, []byte{0, 0, 0x13, 0x87}) // 4999
	for vendor, b := range map[uint32][]byte{DocumentationVendorID: b, 4999: other} {
		f, _ := answeredTransfer(t, b, everything(), answer)
		var information *rawAVP
		for a := range f.avps() {
			if a.vendor == vendor && a.code == 1000 {
				information = &a
			}
		}
		if information == nil || information.flags != 0x80 {
			t.Fatalf("no Transfer-Information of vendor %d with the flags of one: %v", vendor, information)
		}
		var got []string
		for m := range rawAVPs(information.data) {
			got = append(got, fmt.Sprintf("%d=%x", m.code-1000, m.data))
			if m.vendor != vendor || m.flags != 0x80 {
				t.Errorf("member %d has vendor %d and flags %#x", m.code, m.vendor, m.flags)
			}
		}
		for i, prefix := range []string{"1=00000001", "2=00000005", "6=", "8=", "17=00000001", "19=", "23=", "26="} {
			if i >= len(got) || !strings.HasPrefix(got[i], prefix) {
				t.Errorf("member %d of %q does not begin with %s", i, got, prefix)
			}
		}
		if len(told(t, f)) > 0 {
			t.Error("parameters in an answer of profile B")
		}
	}

	f, avps := answeredTransfer(t, readHex(t, "testdata/transfer_3gpp.hex"), everything(), answer)
	for _, want := range []string{`2022/10415="GZFA-VFQF-6"`, "2021/10415="} {
		if !strings.Contains(fmt.Sprint(avps), want) {
			t.Errorf("no %s in %v", want, avps)
		}
	}
	if len(told(t, f)) > 0 {
		t.Error("parameters in an answer of profile C")
	}
}

// Units that do not fit the wire stay at the greatest, and every unit of a fee is told.
func TestTransferFeeUnits(t *testing.T) {
	t.Parallel()
	for fee, want := range map[rating.Units]ocs.Cost{0: {Unit: "min"}, 59: {Units: 59, Unit: "second"}, 120: {Units: 2, Unit: "min"}} {
		if got := feeCost(fee); got != want {
			t.Errorf("fee %d: got %+v, want %+v", fee, got, want)
		}
	}
}
