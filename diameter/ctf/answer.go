package ctf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// readAnswer puts what a CCA says into m.
func readAnswer(frame []byte, m *Message) error {
	for a, err := range avps(frame[headerSize:]) {
		if err != nil {
			return fmt.Errorf("read %s: %w", m.Command, err)
		}
		switch {
		case a.is(resultCode):
			m.Code = a.number()
		case a.is(sessionID):
			if string(a.value) != m.Session {
				return fmt.Errorf("%s has the Session-Id of another call", m.Command)
			}
		case a.is(ccRequestNumber):
			if a.number() != m.Number {
				return fmt.Errorf("%s has CC-Request-Number %d, not %d", m.Command, a.number(), m.Number)
			}
		case a.is(errorMessage):
			m.Text = string(a.value)
		case a.is(failedAVP):
			m.FailedAVP = firstCode(a.value)
		case a.is(lowBalance):
			m.LowBalance = a.number() == 1
		case a.is(checkBalanceResult):
			m.Covered = new(a.number() == 0)
		case a.is(costInformation):
			m.Cost = readCost(a.value)
		case a.is(mscc):
			if err := readService(a.value, m); err != nil {
				return err
			}
		default: // at command level stand the same units as in an MSCC, for who does not use one
			if err := readUnits(a, m); err != nil {
				return err
			}
		}
	}
	if m.Code == 0 {
		return errors.New(m.Command + " has no Result-Code")
	}
	return nil
}

func readService(group []byte, m *Message) error {
	for a, err := range avps(group) {
		if err != nil {
			return fmt.Errorf("read the MSCC of %s: %w", m.Command, err)
		}
		if a.is(resultCode) {
			m.ServiceCode = a.number()
			continue
		}
		if err := readUnits(a, m); err != nil {
			return err
		}
	}
	return nil
}

func readUnits(a avp, m *Message) error {
	switch {
	case a.is(refundInformation):
		m.Refund = string(a.value)
	case a.is(validityTime):
		m.Validity = a.number()
	case a.is(timeQuotaThreshold):
		m.Threshold = a.number()
	case a.is(grantedUnit):
		return readGrant(a.value, m)
	case a.is(finalUnit):
		return readFinal(a.value, m)
	}
	return nil
}

func readGrant(group []byte, m *Message) error {
	for a, err := range avps(group) {
		switch {
		case err != nil:
			return fmt.Errorf("read the grant of %s: %w", m.Command, err)
		case a.is(ccTime):
			m.Granted, m.Unit = new(a.number()), Seconds
		case a.is(ccServiceUnits):
			m.Granted, m.Unit = new(uint32(min(a.long(), 1<<32-1))), Events
		}
	}
	return nil
}

func readFinal(group []byte, m *Message) error {
	m.Final = "terminate"
	for a, err := range avps(group) {
		switch {
		case err != nil:
			return fmt.Errorf("read the final unit of %s: %w", m.Command, err)
		case a.is(finalAction) && a.number() == 1:
			m.Final = "redirect"
		case a.is(finalAction) && a.number() == 2:
			m.Final = "restrict access"
		}
	}
	return nil
}

// readCost returns a Cost-Information as text: "250e-2 of currency 978", "60 seconds". What cannot be read is "".
func readCost(group []byte) string {
	var digits int64
	var power int32
	var unit, currency string
	for a, err := range avps(group) {
		switch {
		case err != nil:
			return ""
		case a.is(costUnit):
			unit = string(a.value)
		case a.is(currencyCode):
			currency = fmt.Sprintf("of currency %d", a.number())
		case a.is(unitValue):
			for v, err := range avps(a.value) {
				switch {
				case err != nil:
					return ""
				case v.is(valueDigits):
					digits = int64(v.long()) //nolint:gosec // G115: Integer64 on the wire
				case v.is(exponent):
					power = int32(v.number()) //nolint:gosec // G115: Integer32 on the wire
				}
			}
		}
	}
	text := fmt.Sprint(digits)
	if power != 0 {
		text += fmt.Sprintf("e%d", power)
	}
	if unit == "" {
		unit = currency
	}
	return strings.TrimSpace(text + " " + unit)
}

func firstCode(group []byte) uint32 {
	if len(group) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(group)
}
