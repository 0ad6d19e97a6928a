package integration

// The AVPs that the tests send and that the server may send, from docs/spec/gy.md section 2: base protocol RFC 6733 §4.5, credit
// control RFC 8506 §8, 3GPP TS 32.299 §7.2.
var (
	userName           = avpCode{1, 0}
	proxyState         = avpCode{33, 0}
	eventTimestamp     = avpCode{55, 0}
	hostIPAddress      = avpCode{257, 0}
	authApplicationID  = avpCode{258, 0}
	acctApplicationID  = avpCode{259, 0}
	vendorSpecificApp  = avpCode{260, 0}
	sessionID          = avpCode{263, 0}
	originHost         = avpCode{264, 0}
	supportedVendorID  = avpCode{265, 0}
	vendorID           = avpCode{266, 0}
	firmwareRevision   = avpCode{267, 0}
	resultCode         = avpCode{268, 0}
	productName        = avpCode{269, 0}
	disconnectCause    = avpCode{273, 0}
	originStateID      = avpCode{278, 0}
	failedAVP          = avpCode{279, 0}
	proxyHost          = avpCode{280, 0}
	errorMessage       = avpCode{281, 0}
	routeRecord        = avpCode{282, 0}
	destinationRealm   = avpCode{283, 0}
	proxyInfo          = avpCode{284, 0}
	reAuthRequestType  = avpCode{285, 0}
	destinationHost    = avpCode{293, 0}
	errorReporter      = avpCode{294, 0}
	terminationCause   = avpCode{295, 0}
	originRealm        = avpCode{296, 0}
	inbandSecurityID   = avpCode{299, 0}
	ccInputOctets      = avpCode{412, 0}
	ccOutputOctets     = avpCode{414, 0}
	ccRequestNumber    = avpCode{415, 0}
	ccRequestType      = avpCode{416, 0}
	ccUnits            = avpCode{417, 0}
	ccSessionFailover  = avpCode{418, 0}
	ccSubSessionID     = avpCode{419, 0}
	ccTime             = avpCode{420, 0}
	ccTotalOctets      = avpCode{421, 0}
	checkBalanceResult = avpCode{422, 0}
	costInformation    = avpCode{423, 0}
	failureHandling    = avpCode{427, 0}
	finalUnit          = avpCode{430, 0}
	granted            = avpCode{431, 0}
	ratingGroup        = avpCode{432, 0}
	requestedAction    = avpCode{436, 0}
	requested          = avpCode{437, 0}
	serviceID          = avpCode{439, 0}
	serviceParameter   = avpCode{440, 0}
	parameterType      = avpCode{441, 0}
	parameterValue     = avpCode{442, 0}
	subscriptionID     = avpCode{443, 0}
	subscriptionData   = avpCode{444, 0}
	used               = avpCode{446, 0}
	validityTime       = avpCode{448, 0}
	finalUnitAction    = avpCode{449, 0}
	subscriptionType   = avpCode{450, 0}
	poolID             = avpCode{453, 0}
	tariffTimeChange   = avpCode{451, 0}
	multipleServices   = avpCode{455, 0} // Multiple-Services-Indicator
	mscc               = avpCode{456, 0}
	serviceContextID   = avpCode{461, 0}

	imsi3GPP           = avpCode{1, vendor3GPP}
	nodeFunctionality  = avpCode{862, vendor3GPP}
	timeQuotaThreshold = avpCode{868, vendor3GPP}
	volumeThreshold    = avpCode{869, vendor3GPP}
	reportingReason    = avpCode{872, vendor3GPP}
	serviceInformation = avpCode{873, vendor3GPP}
	psInformation      = avpCode{874, vendor3GPP}
	imsInformation     = avpCode{876, vendor3GPP}
	roleOfNode         = avpCode{829, vendor3GPP}
	callingParty       = avpCode{831, vendor3GPP}
	calledParty        = avpCode{832, vendor3GPP}
	unitQuotaThreshold = avpCode{1226, vendor3GPP}
	lowBalance         = avpCode{2020, vendor3GPP}
	remainingBalance   = avpCode{2021, vendor3GPP}
	refundInformation  = avpCode{2022, vendor3GPP}
	valueDigits        = avpCode{447, 0}
	exponent           = avpCode{429, 0}
	unitValue          = avpCode{445, 0}
	currencyCode       = avpCode{425, 0}
	costUnit           = avpCode{424, 0}
	filterID           = avpCode{11, 0}
	redirectServer     = avpCode{434, 0}
	redirectType       = avpCode{433, 0}
	redirectAddress    = avpCode{435, 0}
	restrictionRule    = avpCode{438, 0}
	tariffChangeUsage  = avpCode{452, 0}
	qosFinalUnit       = avpCode{669, 0}
	triggerType        = avpCode{870, vendor3GPP}
	holdingTime        = avpCode{871, vendor3GPP}
	trigger            = avpCode{1264, vendor3GPP}
	announcement       = avpCode{3904, vendor3GPP}
	announcementID     = avpCode{3905, vendor3GPP}
	variablePart       = avpCode{3907, vendor3GPP}
	variablePartType   = avpCode{3909, vendor3GPP}
	variablePartValue  = avpCode{3910, vendor3GPP}
	timeIndicator      = avpCode{3911, vendor3GPP}
	quotaIndicator     = avpCode{3912, vendor3GPP}
	playAlternative    = avpCode{3913, vendor3GPP}
	announcementTongue = avpCode{3914, vendor3GPP}
	imsEmergency       = avpCode{2322, vendor3GPP}
	accessNetwork      = avpCode{1263, vendor3GPP}
	requestedParty     = avpCode{1251, vendor3GPP}
	vcsInformation     = avpCode{3410, vendor3GPP}
	vlrNumber          = avpCode{3420, vendor3GPP}
	mscAddress         = avpCode{3417, vendor3GPP}
	sgsnMCCMNC         = avpCode{18, vendor3GPP}
	userLocation       = avpCode{22, vendor3GPP}
	smMessageType      = avpCode{2007, vendor3GPP}
	unknownAVP         = avpCode{65000, 0}
	acctMultiSessionID = avpCode{50, 0}
	directDebitFailure = avpCode{428, 0}
	foreignRequestNum  = avpCode{415, 9999} // the code of CC-Request-Number, of a vendor that nobody knows
)

// kind is the shape of an AVP's data.
type kind uint8

const (
	kindOctets kind = iota
	kindText
	kindFour  // Unsigned32, Integer32, Enumerated, Time
	kindEight // Unsigned64, Integer64
	kindGroup
	kindAddress
)

// answerAVPs are the AVPs that an answer of the server may hold, with the M bit that they are sent with.
var answerAVPs = map[avpCode]struct {
	kind      kind
	mandatory bool
}{
	userName:           {kindText, true},
	acctMultiSessionID: {kindText, true},
	eventTimestamp:     {kindFour, true},
	hostIPAddress:      {kindAddress, true},
	authApplicationID:  {kindFour, true},
	sessionID:          {kindText, true},
	originHost:         {kindText, true},
	supportedVendorID:  {kindFour, true},
	vendorID:           {kindFour, true},
	firmwareRevision:   {kindFour, false},
	resultCode:         {kindFour, true},
	productName:        {kindText, false},
	originStateID:      {kindFour, true},
	failedAVP:          {kindGroup, true},
	errorMessage:       {kindText, false},
	proxyInfo:          {kindGroup, true},
	errorReporter:      {kindText, false},
	originRealm:        {kindText, true},
	ccInputOctets:      {kindEight, true},
	ccOutputOctets:     {kindEight, true},
	ccRequestNumber:    {kindFour, true},
	ccRequestType:      {kindFour, true},
	ccUnits:            {kindEight, true},
	ccSessionFailover:  {kindFour, true},
	ccSubSessionID:     {kindEight, true},
	ccTime:             {kindFour, true},
	ccTotalOctets:      {kindEight, true},
	checkBalanceResult: {kindFour, true},
	costInformation:    {kindGroup, true},
	valueDigits:        {kindEight, true},
	exponent:           {kindFour, true},
	unitValue:          {kindGroup, true},
	currencyCode:       {kindFour, true},
	costUnit:           {kindText, true},
	failureHandling:    {kindFour, true},
	directDebitFailure: {kindFour, true},
	finalUnit:          {kindGroup, true},
	granted:            {kindGroup, true},
	serviceParameter:   {kindGroup, true},
	parameterType:      {kindFour, true},
	parameterValue:     {kindText, true},
	ratingGroup:        {kindFour, true},
	serviceID:          {kindFour, true},
	validityTime:       {kindFour, true},
	finalUnitAction:    {kindFour, true},
	mscc:               {kindGroup, true},
	timeQuotaThreshold: {kindFour, true},
	volumeThreshold:    {kindFour, true},
	unitQuotaThreshold: {kindFour, true},
	lowBalance:         {kindFour, true},
	remainingBalance:   {kindGroup, true},
	refundInformation:  {kindOctets, true},
	tariffTimeChange:   {kindFour, true},
	filterID:           {kindText, true},
	redirectServer:     {kindGroup, true},
	redirectType:       {kindFour, true},
	redirectAddress:    {kindText, true},
	restrictionRule:    {kindText, true},
	qosFinalUnit:       {kindGroup, false},
	trigger:            {kindGroup, true},
	triggerType:        {kindFour, true},
	holdingTime:        {kindFour, true},
	announcement:       {kindGroup, true},
	announcementID:     {kindFour, true},
	variablePart:       {kindGroup, true},
	variablePartType:   {kindFour, true},
	variablePartValue:  {kindText, true},
	timeIndicator:      {kindFour, true},
	quotaIndicator:     {kindFour, true},
	playAlternative:    {kindFour, true},
	announcementTongue: {kindText, true},
}

// avpKinds is for printing: also AVPs that only requests hold.
var avpKinds = func() map[avpCode]kind {
	kinds := map[avpCode]kind{
		destinationHost: kindText, destinationRealm: kindText, serviceContextID: kindText, routeRecord: kindText,
		proxyHost: kindText, disconnectCause: kindFour, requested: kindGroup, used: kindGroup, subscriptionID: kindGroup,
		subscriptionData: kindText, subscriptionType: kindFour, multipleServices: kindFour, requestedAction: kindFour,
		terminationCause: kindFour, serviceInformation: kindGroup, imsInformation: kindGroup, psInformation: kindGroup,
		calledParty: kindText, callingParty: kindText, roleOfNode: kindFour, nodeFunctionality: kindFour, reportingReason: kindFour,
		reAuthRequestType: kindFour, vendorSpecificApp: kindGroup, acctApplicationID: kindFour, inbandSecurityID: kindFour,
	}
	for code, known := range answerAVPs {
		kinds[code] = known.kind
	}
	return kinds
}()

// avpNames is for printing.
var avpNames = map[avpCode]string{
	userName: "User-Name", hostIPAddress: "Host-IP-Address", authApplicationID: "Auth-Application-Id", sessionID: "Session-Id",
	originHost: "Origin-Host", supportedVendorID: "Supported-Vendor-Id", vendorID: "Vendor-Id", resultCode: "Result-Code",
	productName: "Product-Name", originStateID: "Origin-State-Id", failedAVP: "Failed-AVP", errorMessage: "Error-Message",
	destinationRealm: "Destination-Realm", destinationHost: "Destination-Host", proxyInfo: "Proxy-Info", originRealm: "Origin-Realm",
	ccRequestNumber: "CC-Request-Number", ccRequestType: "CC-Request-Type", ccTime: "CC-Time", granted: "Granted-Service-Unit",
	requested: "Requested-Service-Unit", used: "Used-Service-Unit", mscc: "Multiple-Services-Credit-Control",
	ratingGroup: "Rating-Group", validityTime: "Validity-Time", finalUnit: "Final-Unit-Indication",
	finalUnitAction: "Final-Unit-Action", serviceContextID: "Service-Context-Id", subscriptionID: "Subscription-Id",
	timeQuotaThreshold: "Time-Quota-Threshold", lowBalance: "Low-Balance-Indication", failureHandling: "CCFH",
	serviceInformation: "Service-Information", disconnectCause: "Disconnect-Cause", terminationCause: "Termination-Cause",
}
