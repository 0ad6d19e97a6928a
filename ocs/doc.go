// Package ocs decides. [Decide] takes an [Account], a [Request] and the time, and returns an [Outcome]: the [Answer] and
// every change that must be durable before the answer leaves. It reads no clock and no row, and it changes nothing.
//
// The nouns: a [Subscriber] holds [Bucket]s; a [Session] is one call with its [Quota]s, which reserve parts of the
// buckets; a [RatedEvent] is one priced report of usage; a [Record] (CDR) tells of a finished call; a [Posting] is every
// movement that is not a call. [Rules] are what the operator configured: services and plans.
//
// Times are RFC 8506 sections unless another standard is named.
package ocs
