package ocs

import "github.com/gyro-ocs/gyro/rating"

// Bars are the services that a subscriber may not use: a set of bits, which are stored.
type Bars uint8

// The services that can be barred.
const (
	BarVoice Bars = 1 << iota
	BarMessage
	BarData
	BarTransfers
)

// barWords are in the order of the bits.
var barWords = []string{"voice", "message", "data", "transfers"}

// ParseBars returns the set of words. Words that name nothing are left out.
func ParseBars(words []string) (b Bars) {
	for _, word := range words {
		for i, known := range barWords {
			if word == known {
				b |= 1 << i
			}
		}
	}
	return b
}

// Words returns the services in words.
func (b Bars) Words() []string {
	words := []string{}
	for i, word := range barWords {
		if b&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// Service reports whether a kind of service is barred.
func (b Bars) Service(kind rating.Kind) bool {
	switch kind {
	case rating.Voice:
		return b&BarVoice != 0
	case rating.Message:
		return b&BarMessage != 0
	case rating.Data:
		return b&BarData != 0
	}
	return false
}
