package transfer

import (
	"errors"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// A Dial is what a dialled string asks for.
type Dial struct {
	Item    int          // of the menu: *999*5#; 0: the menu itself, or a transfer
	Seconds rating.Units // of a transfer; 0: none was named
	Number  string       // its receiver, as dialled: ASCII digits, perhaps with a leading +
	PIN     string       // never to be logged; empty: none was dialled
}

// ErrNotDialled means that a string does not begin with the service code or does not end with #.
var ErrNotDialled = errors.New("not a string of this service")

// ErrAmbiguous means that a string can be read in more than one way, or in none. It is refused and not guessed at: a
// wrong guess sends minutes to a stranger.
var ErrAmbiguous = errors.New("cannot tell number, minutes and PIN apart")

// The lengths that tell the parts of a dialled string apart.
const (
	maxDialledMinutes = 4
	minDialledNumber  = MinShortCode
	maxDialledNumber  = 20
	minPIN            = 4
	maxPIN            = 8
	menuItems         = 8
	itemsWithQuantity = 3 // of the menu, 1 to 3 go on with a number and a quantity
)

// ParseDial reads a dialled string of the service code, such as *999: the menu *999#, an item of it *999*5#, a transfer
// *999*minutes*number# or *999*minutes*number*PIN#. Digits of other alphabets are read as [ParseMinutes] reads them.
func ParseDial(dialled, service string) (Dial, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(dialled), service)
	rest, ended := strings.CutSuffix(rest, "#")
	if !ok || !ended || strings.Contains(rest, "#") {
		return Dial{}, ErrNotDialled
	}
	if rest == "" {
		return Dial{}, nil
	}
	rest, ok = strings.CutPrefix(rest, "*")
	if !ok {
		return Dial{}, ErrNotDialled // *9991# is another service
	}
	return ParseDialled(strings.Split(rest, "*"))
}

// ParseDialled reads the parts of a dialled string after the service code, as gateways hand them over.
func ParseDialled(parts []string) (Dial, error) {
	parts = slices.Clone(parts)
	for i, part := range parts {
		plain := part
		if i == 1 {
			plain = strings.TrimPrefix(part, "+")
		}
		digits, ok := asciiDigits(plain)
		if !ok {
			return Dial{}, ErrAmbiguous
		}
		parts[i] = part[:len(part)-len(plain)] + digits
	}
	switch len(parts) {
	case 1:
		if len(parts[0]) == 1 && parts[0] >= "1" && parts[0] <= string('0'+rune(menuItems)) {
			return Dial{Item: int(parts[0][0] - '0')}, nil
		}
		return Dial{}, ErrAmbiguous
	case 2, 3:
		return dialledTransfer(parts)
	}
	return Dial{}, ErrAmbiguous
}

func dialledTransfer(parts []string) (Dial, error) {
	number := strings.TrimPrefix(parts[1], "+")
	if len(parts[0]) > maxDialledMinutes || parts[0][0] == '0' || len(number) < minDialledNumber || len(number) > maxDialledNumber {
		return Dial{}, ErrAmbiguous // the quantity may stand where the number belongs
	}
	seconds, err := ParseMinutes(parts[0])
	if err != nil {
		return Dial{}, err
	}
	d := Dial{Seconds: seconds, Number: parts[1]}
	if len(parts) == 2 {
		return d, nil
	}
	d.PIN = parts[2]
	if len(d.PIN) < minPIN || len(d.PIN) > maxPIN {
		return Dial{}, ErrAmbiguous
	}
	if seconds <= itemsWithQuantity*minute {
		return Dial{}, ErrAmbiguous // *999*1*number*1500# may be the menu's item 1 with a quantity of 1500
	}
	return d, nil
}
