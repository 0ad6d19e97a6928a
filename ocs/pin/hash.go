package pin

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/gyro-ocs/gyro/ocs"
)

// ErrOtherPepper tells that a PIN was hashed with another pepper than this server has.
var ErrOtherPepper = errors.New("the PIN was hashed with another pepper: give all servers of a database the same, and restore the one that was lost, or reset the PINs")

// errBroken tells that what is stored is no hash of ours.
var errBroken = errors.New("the stored hash of a PIN cannot be read")

// cost is what a hash costs.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

var current = cost{memory: 19 * 1024, passes: 2, lanes: 1}

// The bounds of a cost that is read from the database: a row must not make the server compute for minutes.
var most = cost{memory: 256 * 1024, passes: 16, lanes: 8}

const (
	saltLength = 16
	keyLength  = 32
)

// A hash is a hashed PIN in parts.
type hash struct {
	cost   cost
	pepper string // its name
	salt   []byte
	key    []byte
}

// hasher makes and checks hashes with one pepper.
type hasher struct {
	cost   cost // of those it makes
	pepper []byte
	name   string // tells the pepper from others and nothing about it
}

func newHasher(pepper []byte) hasher {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte("gyro name of a pepper"))
	return hasher{cost: current, pepper: pepper, name: hex.EncodeToString(mac.Sum(nil)[:4])}
}

// key is the slow part.
func (h hasher) key(subscriber ocs.SubscriberID, pin Secret, salt []byte, c cost) []byte {
	mac := hmac.New(sha256.New, h.pepper)
	mac.Write([]byte(subscriber))
	mac.Write([]byte{0})
	mac.Write([]byte(pin))
	return argon2.IDKey(mac.Sum(nil), salt, c.passes, c.memory, c.lanes, keyLength)
}

// make hashes a PIN.
func (h hasher) make(subscriber ocs.SubscriberID, pin Secret, salt []byte) string {
	return hash{h.cost, h.name, salt, h.key(subscriber, pin, salt, h.cost)}.String()
}

// matches reports whether stored is the hash of pin. It takes as long for a wrong one as for a right one.
func (h hasher) matches(stored hash, subscriber ocs.SubscriberID, pin Secret) bool {
	return subtle.ConstantTimeCompare(stored.key, h.key(subscriber, pin, stored.salt, stored.cost)) == 1
}

// read takes a stored hash apart, without computing anything.
func (h hasher) read(stored string) (hash, error) {
	parsed, err := parseHash(stored)
	if err != nil {
		return hash{}, err
	}
	if parsed.pepper != h.name {
		return hash{}, ErrOtherPepper
	}
	return parsed, nil
}

var encoding = base64.RawStdEncoding

// String returns h in the form of the PHC string format.
func (h hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d,keyid=%s$%s$%s", argon2.Version, h.cost.memory, h.cost.passes, h.cost.lanes,
		h.pepper, encoding.EncodeToString(h.salt), encoding.EncodeToString(h.key))
}

func parseHash(text string) (h hash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errBroken
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d,keyid=%s", &h.cost.memory, &h.cost.passes, &h.cost.lanes, &h.pepper); err != nil {
		return hash{}, errBroken
	}
	var faults [2]error
	h.salt, faults[0] = encoding.DecodeString(parts[4])
	h.key, faults[1] = encoding.DecodeString(parts[5])
	c := h.cost
	switch {
	case errors.Join(faults[:]...) != nil, len(h.salt) < 8, len(h.key) != keyLength,
		c.memory < 8, c.memory > most.memory, c.passes < 1, c.passes > most.passes, c.lanes < 1, c.lanes > most.lanes:
		return hash{}, errBroken
	}
	return h, nil
}
