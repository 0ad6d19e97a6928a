// Package charging is the engine: it takes what is queued, and for each batch makes one transaction that locks, loads,
// decides, saves and commits. Only then does it answer.
//
// A request goes to the lane of its subscriber's slot. Lanes are for speed alone; that two of them, or two servers, never
// decide about one subscriber at once is the work of the row locks (spec/store I11). There is no timer that gathers a
// batch: a batch is what queued up while the last one was committed. Queues are bounded and requests have deadlines;
// beyond either the answer is [ocs.Busy], which a client may take to another server at once (RFC 8506 §7).
//
// Transfers of minutes have a lane of their own, in which a batch locks both parties of each, in one order for all. Calls
// and transfers know nothing of each other: the row of the subscriber keeps them apart. Names are looked up before the
// lock, and looked up again when a locked party turns out to have been renamed.
//
// Whatever happens to a transaction, it is safe to do it again: each request's answer is remembered beside its effect.
package charging
