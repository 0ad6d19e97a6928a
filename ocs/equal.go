package ocs

import "slices"

// Equal reports whether a and b tell a client the same.
func (a Answer) Equal(b Answer) bool {
	return a.Verdict == b.Verdict && a.Fault == b.Fault && a.CommandLevel == b.CommandLevel && a.LowBalance == b.LowBalance &&
		a.Failover == b.Failover && a.Refund == b.Refund &&
		samePointed(a.BalanceCovers, b.BalanceCovers) && samePointed(a.Cost, b.Cost) && samePointed(a.Balance, b.Balance) &&
		samePointed(a.FailureHandling, b.FailureHandling) && slices.EqualFunc(a.Services, b.Services, ServiceAnswer.Equal)
}

// Equal reports whether a and b tell a client the same of one service.
func (a ServiceAnswer) Equal(b ServiceAnswer) bool {
	return a.Verdict == b.Verdict && a.Fault == b.Fault && a.Measure == b.Measure && a.Granted == b.Granted &&
		a.Validity == b.Validity && a.Threshold == b.Threshold && a.Final == b.Final &&
		a.TariffChange.Equal(b.TariffChange) && samePointed(a.RatingGroup, b.RatingGroup) && slices.Equal(a.ServiceIDs, b.ServiceIDs) &&
		equalPointed(a.FinalUnits, b.FinalUnits, FinalUnits.Equal) && equalPointed(a.Extras, b.Extras, Extras.Equal)
}

// Equal reports whether a and b are the same in everything, also in what nothing is rated by.
func (c Conditions) Equal(b Conditions) bool {
	return sameRating(c, b) && c.RoleGiven == b.RoleGiven && c.ICID == b.ICID && c.APN == b.APN &&
		c.CallStart.Equal(b.CallStart) && c.Answered.Equal(b.Answered) && samePointed(c.CauseCode, b.CauseCode) &&
		c.DeliverReport == b.DeliverReport && c.MessageCount == b.MessageCount &&
		slices.Equal(c.Recipients, b.Recipients) && slices.Equal(c.Routes, b.Routes)
}

func samePointed[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
