// Package lifecycle decides what becomes of a plan as time passes: a [Contract] begins, waits for its first use, is
// renewed, fails to be, rolls over what is left, ends; and every lot that expires gets its posting.
//
// It is pure like package ocs: [Advance] takes an [Account] and the time and returns an [Outcome]. It goes from one
// instant at which something is due to the next and dates each step to that instant, never to the time at which it runs:
// a job that comes days late does what it would have done in time.
//
// The nouns: [Terms] are what a plan promises for each [Period] and what that costs; a Contract is one subscriber's plan
// as it runs; a [Notice] is a text to the subscriber.
package lifecycle
