// Package diameter is the Gy and Ro interface: RFC 8506 on RFC 6733, with the AVPs of 3GPP TS 32.299. It turns what a
// switch sends into an [ocs.Request] and an [ocs.Answer] into what the switch is told. It decides nothing: an [Engine]
// does.
//
// # The way of a request
//
//	transport   TCP, or TLS on it
//	guard.go    whole, checked frames only; bad ones are answered here
//	go-diameter decodes with our dictionary and calls the handler
//	route.go    is it ours at all?
//	ccr.go      AVPs → ocs.Request, or the refusal with its Failed-AVP
//	Engine      decides, and calls back when the decision is durable
//	cca.go      ocs.Answer → octets
//	writer.go   all that waits for a connection, in one Write
//	watch.go    shows both to who looks on; while nobody does, a look at a pointer
//
// A connection has three goroutines: the library's reads and handles, one writes, one keeps the watchdog. No handler
// waits. So the requests of a connection reach the engine in the order in which they came, and a DWR is never stuck
// behind a CCR that takes long; its DWA overtakes the CCAs that wait to be written.
//
// # Minutes that move
//
// A CCR of type event whose Service-Context-Id is one of [Transfers] asks to move minutes (spec/transfer 4). It never
// reaches the Engine:
//
//	transfer_request.go  AVPs of profile A, B or C → TransferRequest
//	Transfers.Do         decides, and calls back when the outcome is durable
//	transfer_answer.go   transfer.Answer → octets, in the profile of the request
//
// What each profile looks like on the wire is in transfer_parameter.go, transfer_vendor.go and transfer_3gpp.go. A context
// that begins with minute-transfer. and is not served is refused, never charged. Where nobody knows what was written no
// answer is given, and the client asks again. A refusal is told by Result-Code, which RFC 8506 demands in every CCA, and,
// where configured, by Experimental-Result beside it; parameter 17 has the number of our own. No answer repeats a PIN or a
// pay-out code, not in Failed-AVP either. Beyond the tables of spec/transfer there are parameters 23 (consent: yes,
// again), 24 (seconds to hold) and 25 (pay-out code), and members +27 (refusal) to +31 of profile B. CC-Correlation-Id is not
// kept, and Lot-Root not told.
//
// # Calling clients back
//
// A RAR or ASR begins as a row in the database, written with what it is about (ocs.Summons). The courier of package
// charging of whichever server can reach the client takes it and has it sent here:
//
//	summon.go    the routes to a client, ocs.Summons → RAR or ASR, RAA or ASA → ocs.SummonsReply
//
// # What is not trusted
//
// Everything that comes in. The guard bounds a message (64 KiB), the depth of groups (16), and checks every length in it
// before the library sees it: go-diameter v4.3.0 can be stopped by one message (a length below 20 makes it allocate
// 4 GiB, groups in groups overflow its stack, a wrong AVP length panics). What waits to be decided is bounded by number
// and octets (3004 or 3002 beyond them), what waits to be sent by octets (a peer that does not read is closed), the connections by
// number, and the time until a CER to ten seconds. No subscriber and no session is named in a log line, a metric or an
// Error-Message.
//
// # What of the standards is left out, or done in a way of our own
//
//   - RFC 6733 §2.1: TCP only. SCTP is not built yet.
//   - RFC 6733 §2.1: a peer that sends no Diameter at all is reset only before its CER. Later it gets 5011 or 5015.
//   - RFC 6733 §2.2, §13: TLS from the first octet, on a port of its own. The TLS after the CEA of RFC 3588
//     (Inband-Security-Id 1) is refused with 5017. DTLS goes with SCTP.
//   - RFC 6733 §2.6, §6: no relaying, no redirecting, and no routing of answers. A request for another host is 3002, for
//     another realm 3003.
//   - RFC 6733 §3: the reserved bits of the command flags are ignored, as that section asks; 5013 of §7.1.5, which
//     contradicts it, is never sent.
//   - RFC 6733 §4.1: an unknown AVP with the M bit in a CER, DWR or DPR is ignored. To refuse it would take down all
//     traffic of the peer for the sake of a message that works without it. In a CCR it is 5001; see ccr.go.
//   - RFC 6733 §5.3: the CEA advertises application 4 and nothing else, to a relay too.
//   - RFC 6733 §5.5: a DWR or DPR that lacks a required AVP is answered 2001: what it asks is clear.
//   - RFC 6733 §5.6: this node never connects by itself, so there is no election. A second connection of a peer is closed
//     without a CEA (R-Reject), and the first is asked whether it still lives: two seconds without an answer end it.
//   - RFC 6733 §5.4: after a DPR of the peer, CCRs are answered 3002 or 3004, and the DPA waits at most two seconds for
//     the answers in progress.
//   - RFC 6733 §7.1.5: groups that are nested too deep are reported as 5014.
//   - RFC 6733 §8: no STR, ASR, RAR or ACR is taken (3001).
//   - RFC 6733 §5.5.4: a RAR or ASR that has no answer is sent again after ten seconds, by the next route that leads to the
//     client, twice; no connection keeps requests to send them again by itself.
//   - RFC 8506 §3.1: the grammar bounds no list. Here an initial request or an event has at most 256
//     Multiple-Services-Credit-Control, 64 Service-Identifier and 256 Used-Service-Unit in each, and 256 recipients of a
//     message; beyond that it is 5009, and nothing has begun. An update or a termination may have as many as fit into a
//     message, because what it reports is charged: a session that gathers more than 512 quotas is debited and ended with
//     5006. Of the Service-Identifiers of one service beyond 64 an update is 5009 and its session goes on; a termination is
//     never refused, and the first 64 count. Of Subscription-Ids the first 32 are tried, and no number of them is an error.
//   - RFC 3539 §3.4.1: a pending DWR is settled by any message, not only by its DWA: the peer lives, and is asked again
//     when it falls silent again. No REOPEN: it is for connections that this node dials.
package diameter
