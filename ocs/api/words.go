package api

import (
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// The words in which values of the core are told. They are part of the API: clients compare them.

func verdictWord(v ocs.Verdict) string {
	switch v {
	case ocs.Granted:
		return "granted"
	case ocs.CreditLimitReached:
		return "credit limit reached"
	case ocs.ServiceDenied:
		return "service denied"
	case ocs.NotApplicable:
		return "not applicable"
	case ocs.UnknownSession:
		return "unknown session"
	case ocs.Unauthorised:
		return "unauthorised"
	case ocs.InvalidValue:
		return "invalid value"
	case ocs.ResourcesExceeded:
		return "resources exceeded"
	case ocs.UnableToComply:
		return "unable to comply"
	case ocs.UserUnknown:
		return "user unknown"
	case ocs.RatingFailed:
		return "rating failed"
	case ocs.Busy:
		return "busy"
	}
	return fmt.Sprintf("verdict %d", v) // written by a newer version
}

func typeWord(t ocs.RequestType) string {
	switch t {
	case ocs.Initial:
		return "initial"
	case ocs.Update:
		return "update"
	case ocs.Termination:
		return "termination"
	case ocs.Event:
		return "event"
	}
	return fmt.Sprintf("type %d", t)
}

func directionWord(d rating.Direction) string {
	switch d {
	case rating.Originating:
		return "originating"
	case rating.Terminating:
		return "terminating"
	case rating.Forwarding:
		return "forwarding"
	}
	return fmt.Sprintf("direction %d", d)
}
