package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
	"unicode/utf8"

	"github.com/gyro-ocs/gyro/transfer/ussd"
)

// The dialects madapi and xml say nothing that tells a copy of an input, which a gateway sends again because it got no answer in
// time, from the next input, which happens to be the same. It is taken for a copy when it is the same as the one before it and
//
//   - has four characters or more: a number, a PIN, a reference or a code is not typed twice in a row for two different questions,
//     and who types a wrong one once more is told the same again;
//   - or comes within copyWithin after the answer to the one before: nobody has read a screen by then.
//
// What is left: a copy of a choice in a menu ("1") that comes later than that is taken for the next choice. It never moves
// anything, since that takes a PIN or a yes on a screen of its own, and the person sees where it has led. A gateway that counts
// its requests (hubtel) or repeats all inputs (form) has no such limit.
const (
	copyWithin  = 3 * time.Second
	longestPick = 3
)

// isCopy reports whether what a gateway says is what it said before.
func (s *server) isCopy(session ussd.Session, call ussdCall) bool {
	if !session.Begun || call.text == "" || session.Last == "" || session.Last != s.inputDigest(session, call) {
		return false
	}
	return utf8.RuneCountInString(call.text) > longestPick || s.Now().Sub(session.LastAt) < copyWithin
}

// inputDigest stands for an input in the stored session. It is keyed: the input may be a PIN, which has few values.
func (s *server) inputDigest(session ussd.Session, call ussdCall) string {
	mac := hmac.New(sha256.New, s.PayoutSecret)
	mac.Write([]byte("ussd input\x00" + session.Key + "\x00" + call.text))
	return hex.EncodeToString(mac.Sum(nil))
}
