package charging

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// hashCode hashes a pay-out code with a salt of its own. Such codes live for days and are good for a few tries, so that they
// need no slow hash; the key keeps who can read the database from trying them out.
func hashCode(key []byte, code string) string {
	var salt [16]byte
	rand.Read(salt[:])
	text := base64.RawStdEncoding.EncodeToString(salt[:])
	return text + "." + digestCode(key, text, code)
}

// isCode reports whether a hash is of a code.
func isCode(key []byte, hash, code string) bool {
	salt, digest, ok := strings.Cut(hash, ".")
	return ok && hmac.Equal([]byte(digest), []byte(digestCode(key, salt, code)))
}

func digestCode(key []byte, salt, code string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(salt + "." + code))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}
