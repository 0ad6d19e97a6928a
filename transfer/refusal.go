package transfer

// Refusal is why a request was refused.
type Refusal uint8

// The refusals of table 4.5, and a few that a person can do something about.
const (
	None Refusal = iota
	SenderUnknown
	ReceiverUnknown
	SameParty
	NotEnough
	NotTransferable // enough is there, but in use by a call or not for sending
	MinimumRemaining
	BelowMinimum
	AboveMaximum
	WrongStep
	DayCountLimit
	DaySecondsLimit
	MonthCountLimit
	MonthSecondsLimit
	PairLimit
	ReceiverLimit
	ReceiverFull
	SenderNotEligible
	ReceiverNotEligible
	KindNotAllowed // the kind, the channel, the two plans, or the hops of every lot
	SenderFrozen
	ReceiverFrozen
	ReceiverDeclines // has the sender on its block list
	WrongPIN
	PINNeeded
	PINLocked
	PINMustChange
	CoolingOff
	RiskRefused
	QuoteExpired // also used, or of another transfer
	FeeTooHigh
	NoFeeRule
	ReferenceReused
	OriginalUnknown // also of other people: what is not theirs does not exist for them
	AlreadyDone     // reversed, confirmed, cancelled or decided already
	WindowClosed    // too late to confirm or to claim
	NotReversible
	AlreadySpent
	Stopped         // by the operator's kill switch
	RepeatSuspected // the same to the same, a moment ago
	NotConfirmed    // a person must say yes first
	WrongCode       // of a pay-out
	Malformed       // a value that no rule can judge
	Incomplete      // a value is missing
)

// A Code is what a refusal is called at the doors.
type Code struct {
	Name         string
	Experimental uint32 // Experimental-Result-Code; 0: there is none, the fallback is sent
	Fallback     uint32 // Result-Code
	HTTP         int
	TMF          string // Error.code, GSMA names where they exist
	Blames       Blame  // what Failed-AVP tells
}

// Blame is the part of a request that a refusal blames.
type Blame uint8

// What can be to blame.
const (
	Nothing Blame = iota
	BlameCounterparty
	BlameSeconds
	BlameReference
	BlameOriginal
)

var codes = [...]Code{
	None:                {Name: "none", Fallback: 2001, HTTP: 201, TMF: "completed"},
	SenderUnknown:       {"sender unknown", 0, 5030, 404, "identifierError", Nothing},
	ReceiverUnknown:     {"receiver unknown", 5101, 5004, 404, "identifierError", BlameCounterparty},
	SameParty:           {"same party", 5102, 5004, 409, "samePartiesError", BlameCounterparty},
	NotEnough:           {"not enough", 0, 4012, 409, "insufficientFunds", Nothing},
	NotTransferable:     {"not transferable", 4103, 4012, 409, "balanceNotTransferable", Nothing},
	MinimumRemaining:    {"minimum must remain", 4104, 4012, 409, "minimumRemaining", Nothing},
	BelowMinimum:        {"below minimum", 5105, 5004, 400, "lessThanTransactionMinValue", BlameSeconds},
	AboveMaximum:        {"above maximum", 5106, 5004, 400, "greaterThanTransactionMaxValue", BlameSeconds},
	WrongStep:           {"wrong step", 5107, 5004, 400, "stepError", BlameSeconds},
	DayCountLimit:       {"day count limit", 4108, 4010, 409, "dailyVolumeLimitExceeded", Nothing},
	DaySecondsLimit:     {"day value limit", 4109, 4010, 409, "dailyValueLimitExceeded", Nothing},
	MonthCountLimit:     {"month count limit", 4110, 4010, 409, "monthlyVolumeLimitExceeded", Nothing},
	MonthSecondsLimit:   {"month value limit", 4111, 4010, 409, "monthlyValueLimitExceeded", Nothing},
	PairLimit:           {"pair limit", 4112, 4010, 409, "pairLimitExceeded", Nothing},
	ReceiverLimit:       {"receiver limit", 4113, 4010, 409, "accountMaxTotalValueExceeded", Nothing},
	ReceiverFull:        {"receiver balance cap", 4114, 4010, 409, "maxBalanceExceeded", Nothing},
	SenderNotEligible:   {"sender not eligible", 5115, 4010, 403, "notEligible", Nothing},
	ReceiverNotEligible: {"receiver not eligible", 5116, 4010, 403, "notEligible", Nothing},
	KindNotAllowed:      {"kind not allowed", 5117, 4010, 403, "notEligible", Nothing},
	SenderFrozen:        {"sender frozen", 5118, 4010, 403, "incorrectState", Nothing},
	ReceiverFrozen:      {"receiver frozen", 5119, 4010, 403, "incorrectState", Nothing},
	ReceiverDeclines:    {"receiver declines", 5120, 4010, 403, "requestDeclined", Nothing},
	WrongPIN:            {"wrong PIN", 0, 4001, 401, "clientAuthorisationError", Nothing},
	PINNeeded:           {"PIN needed", 0, 4001, 401, "clientAuthorisationError", Nothing},
	PINLocked:           {"PIN locked", 5121, 5003, 403, "pinLocked", Nothing},
	PINMustChange:       {"PIN must be changed", 5122, 5003, 403, "pinChangeRequired", Nothing},
	CoolingOff:          {"cooling off", 4123, 4010, 403, "coolingOff", Nothing},
	RiskRefused:         {"refused by risk rule", 4124, 4010, 403, "requestDeclined", Nothing},
	QuoteExpired:        {"quote expired", 4125, 5031, 409, "quoteHasExpired", Nothing},
	FeeTooHigh:          {"fee above accepted", 4126, 5031, 409, "feeChanged", Nothing},
	NoFeeRule:           {"no fee rule", 0, 5031, 500, "internalError", Nothing},
	ReferenceReused:     {"reference reused", 5127, 5004, 409, "duplicateRequest", BlameReference},
	OriginalUnknown:     {"original not found", 5128, 5004, 404, "identifierError", BlameOriginal},
	AlreadyDone:         {"already done", 5129, 5004, 409, "incorrectState", BlameOriginal},
	WindowClosed:        {"window closed", 5130, 5004, 409, "incorrectState", BlameOriginal},
	NotReversible:       {"not reversible", 5131, 5004, 409, "incorrectState", BlameOriginal},
	AlreadySpent:        {"already spent", 4132, 4012, 409, "insufficientFunds", Nothing},
	Stopped:             {"stopped by operator", 4133, 4010, 503, "serviceUnavailable", Nothing},
	RepeatSuspected:     {"repeat suspected", 4134, 4010, 409, "repeatSuspected", Nothing},
	NotConfirmed:        {"not confirmed", 4135, 4010, 409, "confirmationRequired", Nothing},
	WrongCode:           {"wrong code", 4136, 4001, 401, "clientAuthorisationError", Nothing},
	Malformed:           {"malformed", 0, 5004, 400, "formatError", Nothing},
	Incomplete:          {"incomplete", 0, 5005, 400, "mandatoryValueNotSupplied", Nothing},
}

// Refusals returns every refusal, without None.
func Refusals() []Refusal {
	all := make([]Refusal, 0, len(codes)-1)
	for r := range codes {
		if r := Refusal(r); r != None {
			all = append(all, r)
		}
	}
	return all
}

// Code returns the row of r in the table.
func (r Refusal) Code() Code { return codes[r] }

// String returns the name of r.
func (r Refusal) String() string { return codes[r].Name }
