// Package outbox sends what the outbox of the database holds: texts to subscribers, and events to those who subscribed to them.
//
// A [Message] is written in the transaction of what it tells of, so there is one for every commit and none for a rollback
// (invariant I24). A [Sender] claims messages that are due, sends them, and says what came of it. Any number of servers may do
// so at once: a claim is a lease. It is durable before anything is sent, and a server that dies leaves its claims to the others
// once they run out. So everything is sent at least once, and with the same id at every try, by which a receiver that cares
// finds copies.
//
// A message that fails is tried again after a while that doubles, with some chance in it so that what failed together does not
// come back together. What a receiver refuses for good, and what was tried for too long, is given up and kept.
//
// Texts go to a gateway in the style of Kannel's sendsms ([Gateway]), or into the log ([LogTexts]), which tells a masked number
// and no words unless it is asked to. Events go by POST to the address that the subscriber gave ([Callbacks]), signed with
// HMAC-SHA-256; addresses inside the operator's network are refused unless they are allowed.
//
// No log line, metric or error of this package holds a number, a text, an event, or an address with what may be secret in it.
package outbox
