package transfer

import (
	"strconv"

	"github.com/gyro-ocs/gyro/ocs"
)

// Fingerprint returns the content of r that a second request under the same reference must share. Each part is preceded
// by its length, so that no two contents have one fingerprint. Credentials, quotes, numbers drawn at random, and what a
// person said to be asked again are no content: a copy of a request may differ in them. The parties are in it as they were named,
// so that a number that has got a new owner meanwhile does not make a copy look like another request.
func (r Request) Fingerprint() string {
	var b []byte
	for _, part := range []string{
		r.Operation.String(), string(r.Kind), string(r.By), r.Person, r.Counterparty, r.Original,
		strconv.FormatInt(int64(r.Seconds), 10), string(r.Bearer), r.Note,
	} {
		b = strconv.AppendInt(b, int64(len(part)), 10)
		b = append(b, ':')
		b = append(b, part...)
	}
	return string(b)
}

// Acting returns the subscriber under whom a request is remembered: who made it, or the sender where nobody of the two
// did. Together with the caller and the reference it names the request for good (4.6).
func (s State) Acting(by Actor) ocs.SubscriberID {
	if by == ByReceiver {
		return s.Receiver.Subscriber.ID
	}
	return s.Sender.Subscriber.ID
}
