// Package tmf654 serves TM Forum's Prepay Balance Management API, TMF654 version 4.0.0, at [Base].
//
// The published description is part of the program: bodies are checked against it, filters too, and the tests call every
// path of it and compare the answers. Faults are its Error, with the codes of spec/transfer 4.5.
//
// # What an action does
//
// A top-up grants a new bucket, or adds to the one that it names. An adjustment corrects a bucket up or down; downwards
// with bucket "auto" it takes in the order of use. A reservation holds units until it is completed (they are spent),
// cancelled or over (validFor.endDateTime); without an amount it holds all that is free. What begins later
// (validFor.startDateTime) or recurs (recurringPeriod) has the status created until it is done. [Sweeper] does what is due.
// A transfer goes through the charging engine, as by every other door.
//
// Every action is one transaction with its postings, its events and the answer that its X-Idempotency-Key (or
// X-CorrelationID) is remembered by: the same key and body get the same answer for ever, another body gets 409. A request that
// is refused by its form alone is not remembered.
//
// # Amounts
//
// The description calls amounts floats. Here they are decimal text, read and written exactly; what is no whole number of
// the smallest unit is refused, and so is an exponent. Seconds are told in min where they are whole minutes, else in s.
//
// # Beyond the description
//
//   - bucket ids may be "auto", and absent where [Config] is lenient: a sender cannot know the receiver's
//   - transferCostQuantity: the fee in minutes; transferCost, which is money, says the same in XXX, no currency
//   - POST with @type TransferBalanceReversal and reversalOf{id}: claims a transfer, or gives it back
//   - PATCH of a transfer takes a status: cancelled or completed, of one that waits
//   - POST /ext/v1/transferQuote tells what a transfer would cost
//   - a created action that is completed later is told by another create event, with its new status: there are 12 events
//     and none of them says "completed"
//   - X-User-Credential-1 carries the PIN of the sender where the policy wants one
//
// # Left out
//
// Vouchers: nothing here could check one, so a top-up by voucher is refused. Recurring adjustments: the description gives them
// no period. The listener paths belong to who subscribes. Of a transfer, product and requestor are checked and not kept.
package tmf654
