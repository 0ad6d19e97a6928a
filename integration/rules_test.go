package integration

import (
	"bytes"
	"fmt"
	"slices"
)

// faultsOf holds an answer against what every answer must be like (docs/spec/gy.md 1.5, 2, 3.9), whatever the test that it was got in
// is about. Among others it is where GY-022, GY-023, GY-024, GY-046, GY-050 (what the server sends), GY-052, GY-118, GY-122,
// GY-125 and GY-134 are looked at in every answer of the suite. A request without AVPs was made by hand and is not compared.
func faultsOf(request, answer message) []string {
	var faults []string
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	code := answer.resultCode()

	fault(answer.version != 1, "version %d", answer.version)
	fault(answer.flags&^(flagProxy|flagError) != 0, "flags %02x: R, T or a reserved bit is set", answer.flags)
	fault(len(answer.all(resultCode)) != 1, "%d Result-Codes", len(answer.all(resultCode)))
	hasError := answer.flags&flagError != 0
	fault(code/1000 == 3 && !hasError, "Result-Code %d without the E bit", code)
	fault(code/1000 != 3 && hasError, "Result-Code %d with the E bit", code)
	fault(code < 2000 || code > 5999, "Result-Code %d", code)
	fault(len(answer.all(originHost)) != 1, "%d Origin-Hosts", len(answer.all(originHost)))
	fault(len(answer.all(originRealm)) != 1, "%d Origin-Realms", len(answer.all(originRealm)))
	fault(len(answer.all(failedAVP)) > 1, "%d Failed-AVPs: only the first error is reported", len(answer.all(failedAVP)))
	for _, never := range []avpCode{destinationHost, destinationRealm, routeRecord} {
		fault(len(answer.all(never)) > 0, "%v in an answer", never)
	}
	for _, text := range answer.all(errorMessage) {
		fault(anyMSISDN.Match(text.data), "Error-Message %q tells who the subscriber is", text.text())
	}
	faults = append(faults, faultsOfAVPs(answer.avps)...)
	if answer.command == cmdCreditControl {
		faults = append(faults, faultsOfGrants(answer)...)
	}

	if request.avps == nil {
		return faults
	}
	fault(answer.command != request.command || answer.app != request.app, "command %d of application %d answers %d of %d",
		answer.command, answer.app, request.command, request.app)
	fault(answer.hop != request.hop || answer.end != request.end, "ids %08x %08x, want %08x %08x",
		answer.hop, answer.end, request.hop, request.end)
	fault(answer.flags&flagProxy != request.flags&flagProxy, "P bit is not that of the request")
	if session := request.all(sessionID); len(session) == 1 {
		fault(len(answer.avps) == 0 || answer.avps[0].code != sessionID || !bytes.Equal(answer.avps[0].data, session[0].data),
			"the first AVP is not the Session-Id of the request")
	}
	sameData := func(a, b avp) bool { return bytes.Equal(a.data, b.data) }
	fault(!slices.EqualFunc(request.all(proxyInfo), answer.all(proxyInfo), sameData), "Proxy-Info is not that of the request")
	if answer.command == cmdCreditControl && answer.app == appCreditControl {
		for _, echoed := range []avpCode{ccRequestType, ccRequestNumber} {
			asked := request.all(echoed)
			fault(len(asked) == 1 && len(asked[0].data) == 4 && !slices.EqualFunc(asked, answer.all(echoed), sameData),
				"%v is not that of the request", echoed)
		}
	}
	return faults
}

func faultsOfAVPs(avps []avp) []string {
	var faults []string
	for _, a := range avps {
		known, ok := answerAVPs[a.code]
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("unexpected AVP %v", a.code))
			continue
		case a.flags&^(avpVendor|avpMandatory) != 0:
			faults = append(faults, fmt.Sprintf("%v has flags %02x", a.code, a.flags))
		case (a.flags&avpMandatory != 0) != known.mandatory:
			faults = append(faults, fmt.Sprintf("%v has flags %02x, M should be %t", a.code, a.flags, known.mandatory))
		case known.kind == kindFour && len(a.data) != 4, known.kind == kindEight && len(a.data) != 8:
			faults = append(faults, fmt.Sprintf("%v has %d octets", a.code, len(a.data)))
		}
		if known.kind == kindGroup && a.code != failedAVP && a.code != proxyInfo { // these hold what the client sent
			members, err := decodeAVPs(a.data)
			if err != nil {
				faults = append(faults, fmt.Sprintf("%v: %v", a.code, err))
			}
			faults = append(faults, faultsOfAVPs(members)...)
		}
	}
	return faults
}

// faultsOfGrants looks at what belongs together in a CCA.
func faultsOfGrants(cca message) []string {
	var faults []string
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	services := cca.all(mscc)
	failed := cca.resultCode()/1000 != 2
	fault(len(cca.all(granted)) > 0 && len(services) > 0, "units at command level and MSCCs in one answer")
	fault(failed && len(cca.all(granted)) > 0, "a grant in an answer that refuses")
	final := len(cca.all(finalUnit)) > 0
	requestType, _ := cca.find(ccRequestType)
	for _, s := range services {
		grant, isGrant := s.find(granted)
		_, isFinal := s.find(finalUnit)
		inner, _ := s.find(resultCode)
		_, hasValidity := s.find(validityTime)
		threshold, hasThreshold := s.find(timeQuotaThreshold)
		seconds, ofTime := grant.find(ccTime)
		fault(inner.uint32() == 0, "an MSCC without a Result-Code")
		fault(isGrant && failed, "a grant in an answer that refuses")
		fault(isGrant && inner.uint32() != 2001, "a grant in an MSCC with %d", inner.uint32())
		fault(isGrant && !hasValidity && requestType.uint32() != typeEvent, "a grant without Validity-Time")
		fault(isFinal && final, "Final-Unit-Indication in an MSCC and at command level")
		fault(hasThreshold && (!ofTime || threshold.uint32() >= seconds.uint32()), "Time-Quota-Threshold %d with a grant of %d s",
			threshold.uint32(), seconds.uint32())
		fault(hasThreshold && isFinal, "a threshold beside Final-Unit-Indication")
		_, switches := grant.find(tariffTimeChange)
		fault(ofTime && switches, "Tariff-Time-Change with a grant of time")
		if requestType.uint32() == typeTermination {
			fault(isGrant || isFinal || hasValidity || hasThreshold, "quota in the answer to a CCR-T")
		}
	}
	return faults
}
