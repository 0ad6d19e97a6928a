package api

import (
	"cmp"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// The words in which values of the core are told. They are part of the API: clients compare them.

func verdictWord(v ocs.Verdict) string {
	return cmp.Or(v.Word(), fmt.Sprintf("verdict %d", v)) // written by a newer version
}

func directionWord(d rating.Direction) string {
	return cmp.Or(d.Word(), fmt.Sprintf("direction %d", d))
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
