// Package integration tests the real binary, over real sockets, with its own Postgres, against clients that were not made
// from the same code: a Diameter encoder and decoder that knows nothing of package diameter (wire_test.go), the Diameter stack
// of Erlang/OTP (erlang/), SIP calls over Kamailio (kamailio/), freeDiameter as a relay (freediameter/), and tshark reading what
// was on the wire.
//
// Each test is a story, or is named for the requirement of docs/spec/gy.md that it holds (GY-077 is TestGY_077_…) and can be run
// alone: go test ./integration -run GY_077. make conformance makes docs/conformance.md of them. Requirements that need a clock that can be moved by hours are scenarios of package
// ocs; gy_supervision_test.go says which.
package integration
