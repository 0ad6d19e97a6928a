// Package api is the HTTP side of the server: customer care under /care/v1, and /healthz, /readyz and /metrics for
// whoever operates it.
//
// The OpenAPI 3.1 document at /openapi.json is made from the handlers and names every route; /docs shows it to people. Faults are
// problem details (RFC 9457). Only who bears a key, or the token of the server, may use /care/v1, and no further than
// the table of rights allows.
//
// What a subscriber is called is personal data. No problem detail and no log line of this package holds an MSISDN or any
// other name: whoever asked knows what was asked. A subscriber is named in a path by MSISDN, 4930123456, by SIP URI,
// sip:alice@ims.example, by IMSI or network access identifier with the prefixes that TS 29.571 §5.3.2 gives them,
// imsi-262010000000001 and nai-alice@example.net, or by private-NAME.
//
// Everything that comes in is bounded: bodies, pages, lists of faults, the time a request may take, and the number of
// imports at once.
package api
