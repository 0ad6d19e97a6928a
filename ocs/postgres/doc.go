// Package postgres keeps what counts: subscribers, buckets, sessions with the answers they were given, rated events, CDRs
// and postings. It knows Postgres and the types of package ocs, and decides nothing.
//
// All that must happen together is a method of [Tx], which [Store.InTx] makes; a [Store] by itself only reads. A batch of
// charging is one transaction:
//
//	LockSubscribers   the only lock; everything of a subscriber is read and changed under it
//	LoadBuckets       what may pay
//	LoadSessions      with their reservations and the answers that were given
//	…                 the decisions, which are not ours
//	Save              one statement for every table
//
// and then COMMIT, of which one of three things is known: it was done (nil), it was not ([Classify] tells what to do), or
// nobody can know ([Unknown]).
//
// The rules of the schema, of the statements and of lib/pq are those of docs/architecture.md; S1 to S15 and H1 to H7 in
// comments here are their numbers. The ones that are easy to break:
//
//   - No deadline may reach COMMIT. Postgres would give up waiting for its standby and report success (H2, H3).
//   - Every hot statement names its keys in lists that an index takes as they are. The planner may believe that a table
//     is empty when it is not; then such a statement costs a little more, and any other one reads the whole table (S14).
//   - No index on a column that charging changes (S15).
//   - What is written is cut to microseconds, because that is what Postgres keeps.
//
// Errors name subscribers by id only: ids say nothing to others, and errors get logged.
package postgres
