package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Key is what a person or a program uses the API with. Its secret is told once, when it is made.
type Key struct {
	ID        string     `json:"id" doc:"part of the key, and no secret"`
	Name      string     `json:"name" doc:"of who has it"`
	Role      string     `json:"role" enum:"viewer,agent,supervisor,billing,operator"`
	State     string     `json:"state" enum:"good,expired,revoked"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at" doc:"first instant at which it opens nothing; null: never"`
	RevokedAt *time.Time `json:"revoked_at"`
	RevokedBy string     `json:"revoked_by,omitempty"`
}

// A MadeKey is a key with its secret.
type MadeKey struct {
	Key
	Token string `json:"token" doc:"the key itself, told this once: the bearer token of every request"`
}

// NewKey is the body that makes a key.
type NewKey struct {
	Name      string     `json:"name" minLength:"1" maxLength:"64" doc:"of the person or program that gets it; two keys of one name never confirm each other's acts"`
	Role      string     `json:"role" enum:"viewer,agent,supervisor,billing,operator"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// KeyList is all keys, oldest first.
type KeyList struct {
	Keys []Key `json:"keys" nullable:"false"`
}

// Whoami is who a key stands for.
type Whoami struct {
	Key    string        `json:"key" doc:"id of the key; local for the token of the server itself"`
	Name   string        `json:"name"`
	Role   string        `json:"role"`
	Limits []LimitOfRole `json:"limits" nullable:"false" doc:"of what this role moves; absent: none"`
}

func (s *server) handleKeys(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/care/v1/keys", DefaultStatus: http.StatusCreated,
		Summary: "Make a key for a person or a program", Description: "The answer holds the key, which is told this once and not stored.",
	}), s.createKey)
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/care/v1/keys", Summary: "List all keys, revoked and expired ones too",
	}), s.listKeys)
	huma.Register(care, operation(huma.Operation{
		OperationID: "revoke-key", Method: http.MethodDelete, Path: "/care/v1/keys/{id}", DefaultStatus: http.StatusOK,
		Summary: "Take a key from its holder, at once and for good", Errors: []int{http.StatusNotFound},
	}), s.revokeKey)
	huma.Register(care, operation(huma.Operation{
		OperationID: "whoami", Method: http.MethodGet, Path: "/care/v1/whoami", Summary: "Tell who the key in use stands for, and within which limits",
	}), s.whoami)
}

// The form of a key: gyro_ID_SECRET.
const (
	keyPrefix   = "gyro_"
	keyIDOctets = 5  // 8 characters; a collision is refused by the database
	keyOctets   = 32 // of the secret
)

var keyText = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// drawKey returns a new key, its id and the hash that is stored.
func drawKey() (token, id string, hash []byte) {
	var octets [keyIDOctets + keyOctets]byte
	_, _ = rand.Read(octets[:]) // it never fails, says its documentation
	id = keyText.EncodeToString(octets[:keyIDOctets])
	secret := keyText.EncodeToString(octets[keyIDOctets:])
	return keyPrefix + id + "_" + secret, id, hashSecret(secret)
}

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// keyHolder returns who has a key; the zero actor when it is none, or no longer good. Every request looks it up, so that a
// revoked key opens nothing from the next request on, on all servers.
func (s *server) keyHolder(ctx context.Context, token string) (actor, error) {
	rest, ok := strings.CutPrefix(token, keyPrefix)
	id, secret, whole := strings.Cut(rest, "_")
	if !ok || !whole || len(id) != keyText.EncodedLen(keyIDOctets) || len(secret) != keyText.EncodedLen(keyOctets) || strings.Trim(id, "abcdefghijkmnpqrstuvwxyz23456789") != "" {
		return actor{}, nil
	}
	key, err := s.Store.APIKey(ctx, id)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return actor{}, nil
	case err != nil:
		return actor{}, err
	case subtle.ConstantTimeCompare(hashSecret(secret), key.Hash) != 1 || keyState(key, s.Now()) != keyGood:
		return actor{}, nil
	}
	return actor{Key: key.ID, Name: key.Name, Role: parseRole(key.Role)}, nil
}

// States of a key.
const (
	keyGood    = "good"
	keyExpired = "expired"
	keyRevoked = "revoked"
)

func keyState(k postgres.APIKey, now time.Time) string {
	switch {
	case !k.RevokedAt.IsZero():
		return keyRevoked
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return keyExpired
	}
	return keyGood
}

func tellKey(k postgres.APIKey, now time.Time) Key {
	return Key{
		ID: k.ID, Name: k.Name, Role: k.Role, State: keyState(k, now), CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy,
		ExpiresAt: optionalTime(k.ExpiresAt), RevokedAt: optionalTime(k.RevokedAt), RevokedBy: k.RevokedBy,
	}
}

func (s *server) createKey(ctx context.Context, in *struct{ Body NewKey }) (*struct{ Body MadeKey }, error) {
	name, now := strings.TrimSpace(in.Body.Name), s.Now()
	if name == "" || strings.Contains(name, "#") || checkText(name) != nil {
		return nil, invalid("body.name", errors.New("name: it must be plain text, and hold no #"))
	}
	expiresAt, err := checkExpiry(in.Body.ExpiresAt, now)
	if err != nil {
		return nil, err
	}
	token, id, hash := drawKey()
	key := postgres.APIKey{
		ID: id, Name: name, Role: in.Body.Role, Hash: hash, CreatedAt: now, CreatedBy: actorOf(ctx).label(), ExpiresAt: expiresAt,
	}
	entry := s.entry(ctx, "create key", "", nil, map[string]any{"key": id, "name": name, "role": key.Role, "expires_at": optionalTime(expiresAt)})
	if err := s.Store.CreateAPIKey(ctx, key, entry); err != nil {
		return nil, s.storeFault(ctx, "store the key", err)
	}
	return &struct{ Body MadeKey }{MadeKey{tellKey(key, now), token}}, nil
}

func (s *server) listKeys(ctx context.Context, _ *struct{}) (*struct{ Body KeyList }, error) {
	keys, err := s.Store.APIKeys(ctx)
	if err != nil {
		return nil, s.storeFault(ctx, "list the keys", err)
	}
	list, now := KeyList{Keys: make([]Key, 0, len(keys))}, s.Now()
	for _, k := range keys {
		list.Keys = append(list.Keys, tellKey(k, now))
	}
	return &struct{ Body KeyList }{list}, nil
}

func (s *server) revokeKey(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"16"`
}) (*struct{ Body Key }, error) {
	entry := s.entry(ctx, "revoke key", "", nil, map[string]string{"key": in.ID})
	_, err := s.Store.RevokeAPIKey(ctx, in.ID, actorOf(ctx).label(), s.Now(), entry)
	if err != nil {
		return nil, s.storeFault(ctx, "revoke the key", err)
	}
	key, err := s.Store.APIKey(ctx, in.ID)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, notFound("no key has this id; gyro key list tells all")
	case err != nil:
		return nil, s.storeFault(ctx, "load the key", err)
	}
	return &struct{ Body Key }{tellKey(key, s.Now())}, nil
}

func (s *server) whoami(ctx context.Context, _ *struct{}) (*struct{ Body Whoami }, error) {
	who := actorOf(ctx)
	return &struct{ Body Whoami }{Whoami{Key: who.Key, Name: who.Name, Role: who.Role.String(), Limits: s.limitsOf(who.Role)}}, nil
}
