package ctf

// A kind of AVP: its code, its vendor and whether we send it with the M bit (spec of RFC 6733 §4.5, RFC 8506 §8 and
// TS 32.299 §7.2).
type kind struct {
	code, vendor uint32
	optional     bool // M clear
}

func (k kind) flags() (flags byte) {
	if k.vendor != 0 {
		flags |= 0x80
	}
	if !k.optional {
		flags |= 0x40
	}
	return flags
}

const vendor3GPP = 10415

// base and credit control
var (
	eventTimestamp     = kind{code: 55}
	hostIPAddress      = kind{code: 257}
	authApplicationID  = kind{code: 258}
	sessionID          = kind{code: 263}
	originHost         = kind{code: 264}
	supportedVendorID  = kind{code: 265}
	vendorID           = kind{code: 266}
	resultCode         = kind{code: 268}
	productName        = kind{code: 269, optional: true}
	disconnectCause    = kind{code: 273}
	errorMessage       = kind{code: 281, optional: true}
	destinationRealm   = kind{code: 283}
	terminationCause   = kind{code: 295}
	originRealm        = kind{code: 296}
	failedAVP          = kind{code: 279}
	ccRequestNumber    = kind{code: 415}
	ccRequestType      = kind{code: 416}
	ccServiceUnits     = kind{code: 417}
	ccTime             = kind{code: 420}
	checkBalanceResult = kind{code: 422}
	costInformation    = kind{code: 423}
	currencyCode       = kind{code: 425}
	exponent           = kind{code: 429}
	costUnit           = kind{code: 424}
	finalUnit          = kind{code: 430}
	grantedUnit        = kind{code: 431}
	ratingGroup        = kind{code: 432}
	requestedAction    = kind{code: 436}
	requestedUnit      = kind{code: 437}
	subscriptionID     = kind{code: 443}
	subscriptionData   = kind{code: 444}
	unitValue          = kind{code: 445}
	usedUnit           = kind{code: 446}
	valueDigits        = kind{code: 447}
	validityTime       = kind{code: 448}
	finalAction        = kind{code: 449}
	subscriptionType   = kind{code: 450}
	multipleServices   = kind{code: 455}
	mscc               = kind{code: 456}
	serviceContextID   = kind{code: 461}
)

// 3GPP
var (
	roleOfNode         = kind{code: 829, vendor: vendor3GPP}
	eventType          = kind{code: 823, vendor: vendor3GPP}
	sipMethod          = kind{code: 824, vendor: vendor3GPP}
	callingParty       = kind{code: 831, vendor: vendor3GPP}
	calledParty        = kind{code: 832, vendor: vendor3GPP}
	timeStamps         = kind{code: 833, vendor: vendor3GPP}
	sipRequestTime     = kind{code: 834, vendor: vendor3GPP}
	sipResponseTime    = kind{code: 835, vendor: vendor3GPP}
	imsChargingID      = kind{code: 841, vendor: vendor3GPP}
	causeCode          = kind{code: 861, vendor: vendor3GPP}
	nodeFunctionality  = kind{code: 862, vendor: vendor3GPP}
	timeQuotaThreshold = kind{code: 868, vendor: vendor3GPP}
	reportingReason    = kind{code: 872, vendor: vendor3GPP}
	serviceInformation = kind{code: 873, vendor: vendor3GPP}
	imsInformation     = kind{code: 876, vendor: vendor3GPP}
	addressData        = kind{code: 897, vendor: vendor3GPP}
	addressType        = kind{code: 899, vendor: vendor3GPP}
	recipientAddress   = kind{code: 1201, vendor: vendor3GPP}
	smsInformation     = kind{code: 2000, vendor: vendor3GPP}
	lowBalance         = kind{code: 2020, vendor: vendor3GPP}
	refundInformation  = kind{code: 2022, vendor: vendor3GPP}
	recipientInfo      = kind{code: 2026, vendor: vendor3GPP}
	vcsInformation     = kind{code: 3410, vendor: vendor3GPP}
	startTime          = kind{code: 2041, vendor: vendor3GPP}
	startOfCharging    = kind{code: 3419, vendor: vendor3GPP}
)
