package lifecycle

import (
	"strconv"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// words are the texts of one language.
type words struct {
	language string // of transfer, which tells minutes and days
	messages map[Message]string
	valid    string // {} is the day
	price    string
	left     string
	units    map[rating.Unit]string
	fits     func(string) bool
}

var english = words{
	language: "en",
	messages: map[Message]string{
		Started:    "{plan} has begun{valid}.{left}{price}",
		Renewed:    "{plan} is renewed{valid}.{left}{price}",
		RenewsSoon: "{plan} is valid to {day} and renews then.{price}{left}",
		EndsSoon:   "{plan} ends on {day}.{left}",
		Unpaid:     "{plan} could not be renewed.{price} Top up by {day} to keep it.",
		PlanEnded:  "{plan} has ended.",
		Used:       "{percent} % of your {units} of {plan} are used.{left} Valid to {day}.",
		UsedUp:     "Your {units} of {plan} are used up.{left}",
		Low:        "Your {plan} is running low.{left}",
		LotEnds:    "{units} are valid to {day} only. Use them before.",
		LotEnded:   "{units} were valid to {day} and have expired.",
	},
	valid: ", valid to {}", price: " Price {}.", left: " You have {}.",
	units: map[rating.Unit]string{rating.Events: "{} SMS"},
	fits: func(s string) bool {
		n, ok := transfer.Septets(s)
		return ok && n <= transfer.SMSSeptets
	},
}

var korean = words{
	language: "ko",
	messages: map[Message]string{
		Started:    "{plan} 시작{valid}.{left}{price}",
		Renewed:    "{plan} 갱신됨{valid}.{left}{price}",
		RenewsSoon: "{plan} {day}까지 유효, 이후 갱신.{price}{left}",
		EndsSoon:   "{plan} {day} 종료.{left}",
		Unpaid:     "{plan} 갱신 실패.{price} {day}까지 충전하세요.",
		PlanEnded:  "{plan} 종료되었습니다.",
		Used:       "{plan} {units} 중 {percent}% 사용.{left} {day}까지.",
		UsedUp:     "{plan} {units} 모두 사용.{left}",
		Low:        "{plan} 잔여량이 적습니다.{left}",
		LotEnds:    "{units} {day}까지만 유효합니다.",
		LotEnded:   "{units} {day}에 만료되었습니다.",
	},
	valid: ", {}까지", price: " 요금 {}.", left: " 잔여 {}.",
	units: map[rating.Unit]string{rating.Events: "문자 {}건"},
	fits:  func(s string) bool { return transfer.Chars(s) <= transfer.SMSChars },
}

// longestName is how much of a plan's name is told.
const longestName = 20

// Render makes the words. They fit into one message: where they would not, what is left is told of the first unit only,
// and then not at all.
func (n Notice) Render(language string) string {
	w := english
	if strings.HasPrefix(language, "ko") {
		w = korean
	}
	for _, most := range []int{len(n.Left), 1} {
		if text := n.with(w, n.Left[:min(most, len(n.Left))]); w.fits(text) {
			return text
		}
	}
	return n.with(w, nil)
}

func (n Notice) with(w words, left []Quantity) string {
	day, valid, price, rest := "", "", "", ""
	if !n.ValidTo.IsZero() {
		day = transfer.SayDay(w.language, n.ValidTo, n.Zone)
		valid = strings.ReplaceAll(w.valid, "{}", day)
	}
	if n.Price > 0 {
		price = strings.ReplaceAll(w.price, "{}", w.say(n.Price, n.PriceUnit))
	}
	var said []string
	for _, q := range left {
		said = append(said, w.say(q.Units, q.Unit))
	}
	if len(said) > 0 {
		rest = strings.ReplaceAll(w.left, "{}", strings.Join(said, ", "))
	}
	plan := n.Plan
	if len(plan) > longestName {
		plan = plan[:longestName]
	}
	return strings.NewReplacer(
		"{plan}", plan, "{day}", day, "{valid}", valid, "{price}", price, "{left}", rest,
		"{percent}", strconv.Itoa(n.Percent), "{units}", w.say(n.Units, n.Unit),
	).Replace(w.messages[n.Message])
}

// say tells a quantity.
func (w words) say(units rating.Units, unit rating.Unit) string {
	switch unit {
	case rating.Seconds:
		return transfer.SayMinutes(w.language, units)
	case rating.Octets:
		return strconv.FormatInt(int64(units)/1_000_000, 10) + " MB"
	case rating.Events:
		return strings.ReplaceAll(w.units[unit], "{}", strconv.FormatInt(int64(units), 10))
	}
	return Money(units, unit)
}

// decimals are how many digits of a currency's minor unit stand behind the point (ISO 4217), where they are not two.
var decimals = map[rating.Unit]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0,
	"VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Money tells an amount of minor units in the currency's own.
func Money(units rating.Units, currency rating.Unit) string {
	places, ok := decimals[currency]
	if !ok {
		places = 2
	}
	digits, sign := strconv.FormatInt(int64(units), 10), ""
	if digits[0] == '-' {
		digits, sign = digits[1:], "-"
	}
	for len(digits) <= places {
		digits = "0" + digits
	}
	if places > 0 {
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	return sign + digits + " " + string(currency)
}
