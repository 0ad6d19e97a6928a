package ctf

import "fmt"

// names of Result-Codes, in the words of a person who looks at a switch (RFC 6733 §7.1, RFC 8506 §9).
var codeNames = map[uint32]string{
	2001: "success",
	2002: "limited success",
	3001: "command unsupported",
	3002: "unable to deliver",
	3003: "realm not served",
	3004: "too busy",
	3005: "loop detected",
	3007: "application unsupported",
	3008: "invalid header bits",
	3009: "invalid AVP bits",
	3010: "unknown peer",
	4010: "service denied",
	4011: "free of charge, no control needed",
	4012: "credit limit reached",
	5001: "AVP unsupported",
	5002: "unknown session",
	5003: "authorisation rejected",
	5004: "invalid AVP value",
	5005: "missing AVP",
	5006: "resources exceeded",
	5008: "AVP not allowed",
	5009: "AVP occurs too many times",
	5010: "no common application",
	5011: "unsupported version",
	5012: "unable to comply",
	5014: "invalid AVP length",
	5015: "invalid message length",
	5017: "no common security",
	5030: "subscriber unknown",
	5031: "rating failed",
}

func success(code uint32) bool { return code/1000 == 2 }

// CodeText returns a Result-Code with its name: "4012 credit limit reached".
func CodeText(code uint32) string {
	if name, ok := codeNames[code]; ok {
		return fmt.Sprintf("%d %s", code, name)
	}
	return fmt.Sprint(code)
}
