// Package transfer decides how minutes move between subscribers. [Decide] takes a [Policy], a [State], a [Request] and the
// time, and returns an [Outcome]: the [Answer] and every row that must be durable before the answer leaves. It reads no
// clock and no row, draws no number and changes none of its arguments: references, ids of new lots and the results of
// checking a PIN or a pay-out code are handed in.
//
// # Lots
//
// Quantities are seconds. A lot is an [ocs.Bucket]: one origin, one class, one expiry. Moved seconds go to a lot of the
// receiver that keeps the root and counts one hop more; two lots are joined only where unit, root, parent, class, hops,
// priority and expiry agree. The parent is one condition more than the specification asks for: it keeps a reversal exact,
// since what came from one lot goes back to that lot, with the expiry it had. Lots are taken in the order in which calls
// take them ([ocs.InOrder]).
//
// # Holds
//
// Everything that waits is held by one mechanism: the planned [Move]s of a pending [Transfer] are reserved in the lots
// themselves, so neither a call nor another transfer can take them, and given back to the same lots when it ends. That is
// how two-phase transfers, cash-out escrow, the receiver's consent and the freeze of a claim work. A hold lends a lot no
// life: a pending transfer is due no later than the first of its lots expires, and is refused from then on. So the lot's
// expiry and the transfer's end are never decided by two clocks.
//
// # Accounts
//
// The legs of a movement ([ocs.Posting]) sum to zero: lot:<bucket>, fee, commission:<agent>. A hold moves nothing and
// posts nothing. The movement is named transfer:<reference>; legs of a lot lie with its owner, the others with the sender.
//
// # Exactly once
//
// Every request that may change something brings a reference of its client. Its [Remembered] is stored in the transaction
// of its effect, a refusal too: the same content gets the same answer for ever, other content is refused ([ReferenceReused]),
// and a new attempt needs a new reference. Credentials are no part of the content.
//
// # Limits
//
// A [Limit] is kept in [Counter]s, rows that are added to: one for each calendar window, or, for a rolling window, one for
// each of 24 slices of it that saw a transfer. So a decision reads at most 25 small rows for each limit, by primary key,
// and never the transfers themselves. A rolling window counts every slice that it touches: it is exact to the safe side,
// and may refuse up to a 24th of its length too long. What comes to nothing gives its counts back.
//
// # Rules against fraud, and second persons
//
// A [Rule] is a [Condition] over [Facts] of the transfer and of what its sender did before ([State.Past]), and what to do when it
// holds: note it, want the PIN, hold the transfer or refuse it. An [Approval] holds what is big. What is held awaits review: persons
// of the operator let it go on or give it back, none of them who asked for it ([Transfer.Maker]). That they are different persons
// is the door's to know: it hands in who has proved to be whom ([Request.Person]). The verdict of another risk engine is an input
// too ([State.Risk]).
//
// # Left out
//
// Of the knobs of 1.3, and why:
//
//   - fees in money, tax on fees: a fee is taken from the lots that are moved, under the locks and in the order of 5.2. One in money
//     would be taken from another bucket, with a currency and a rounding of its own, and its tax is a matter of the sale of minutes,
//     where money changes hands.
//   - bulk transfers: a client sends as many requests as it likes, each with a reference of its own. They are decided in batches
//     anyway, and one that is refused takes no other with it.
//   - scheduled transfers and standing orders: nobody is there to see the price and give the PIN when they are due. What can wait
//     is prepared, for as long as the policy says (OpPrepare).
//   - favourites in the menu: the last five are one choice away.
//   - the reset path of a PIN: who may ask for it, and how the new one comes to its owner, is decided by the roles of the care API;
//     the policy bounds how often.
//   - rules that compare with what all others do (commission_per_customer > p99 of 6.1): a total over all slots decides nothing
//     (spec/store S11).
//
// Sections are those of spec/transfer unless a standard is named.
package transfer
