// Package pin checks the PINs of subscribers, and lets them be set, changed, reset and unlocked.
//
// # What is kept
//
// A PIN is kept as argon2id (RFC 9106) over HMAC-SHA-256(pepper, subscriber and PIN): 19 MiB, two passes, one lane, the
// smallest setting that OWASP recommends. A PIN of six digits is guessed in hours whatever the hash; what protects a stolen
// table is the pepper, which lies in no database. The subscriber is part of what is hashed, so that whoever can write the
// table cannot give someone the PIN that he knows. The hash names its parameters and its pepper: parameters can be raised, and
// a server with another pepper says so and counts nothing, instead of locking everybody out. Several servers on one database
// share one pepper.
//
// # Guessing
//
// A try is counted, durably, before the hash is computed, and the last try that is allowed locks in the same write: it counts as
// wrong until it is found right. So neither many servers at once nor a crash between the two gives a try more. A right PIN wipes
// the count. Each lock is longer than the one before, until a right PIN. Beside that, wrong PINs of each channel and gateway are
// bounded in rate ([Rate]): who tries one PIN with every subscriber meets it, where a lock of one subscriber would not help.
//
// A PIN that somebody else set, by [Checker.Set] or [Checker.Reset], opens nothing until its owner has chosen another.
//
// # What may be told
//
// A PIN is a [Secret], which prints as nothing. No error, log line or span of this package holds a PIN, a hash or a subscriber's
// number. [Store] keeps hashes only.
package pin
