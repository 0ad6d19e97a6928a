package pin

import (
	"errors"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// An Asked is a try that a request with a reference made. Copies of it, sent to whatever server, make none of their own: they
// wait for what the first came to, or take its place when it died.
type Asked struct {
	Key    string // of the request
	Owner  string // who checks the PIN; another one when it took too long
	At     time.Time
	Result transfer.CredentialResult // Wrong or Locked; empty: not known yet
	Left   int                       // tries, after a wrong one
	Until  time.Time                 // of the lock
}

// MostAsked is how many tries are kept with their requests. More than any policy lets pass until it locks would be of no use:
// who asks again under an older reference makes a new try.
const MostAsked = 8

// AskedList holds the latest tries, the newest first. It is an array so that records can be compared.
type AskedList [MostAsked]Asked

// claimLife is how long one may take to check a PIN before another one with the same request takes its place. It is longer
// than any door waits for a transfer.
const claimLife = 15 * time.Second

// againAfter is how long a copy waits until it looks again.
const againAfter = 25 * time.Millisecond

var (
	errAsked     = errors.New("a copy of the request has its PIN checked")
	errOvertaken = errors.New("a copy of the request has taken its place")
	errAnswered  = errors.New("a copy of the request had its PIN checked")
)

// claim notes that owner checks the PIN of a request. isNew is false when the request has made a try that nobody will tell
// about any more: its place is taken, and no other try is to be counted. errAsked and errAnswered tell of a copy.
func (l AskedList) claim(key, owner string, now time.Time) (after AskedList, isNew bool, err error) {
	i := l.index(key)
	switch {
	case i < 0:
		copy(l[1:], l[:MostAsked-1])
		l[0] = Asked{Key: key, Owner: owner, At: now}
		return l, true, nil
	case l[i].Result != transfer.NoCredential:
		return l, false, errAnswered
	case now.Before(l[i].At.Add(claimLife)):
		return l, false, errAsked
	}
	l[i].Owner, l[i].At = owner, now
	return l, false, nil
}

// settle notes what the try came to. One that was right is forgotten: it left no count behind.
func (l AskedList) settle(key, owner string, c transfer.Credential) (AskedList, error) {
	if key == "" {
		return l, nil
	}
	i := l.index(key)
	if i < 0 || l[i].Owner != owner || l[i].Result != transfer.NoCredential {
		return l, errOvertaken
	}
	if c.Result == transfer.Verified || c.Result == transfer.MustChange {
		copy(l[i:], l[i+1:])
		l[MostAsked-1] = Asked{}
		return l, nil
	}
	l[i].Result, l[i].Left, l[i].Until = c.Result, c.TriesLeft, c.LockedUntil
	return l, nil
}

// credential is what the request with a key was told.
func (l AskedList) credential(key string) transfer.Credential {
	a := l[l.index(key)]
	return transfer.Credential{Result: a.Result, TriesLeft: a.Left, LockedUntil: a.Until}
}

func (l AskedList) index(key string) int {
	return slices.IndexFunc(l[:], func(a Asked) bool { return a.Key == key && key != "" })
}
