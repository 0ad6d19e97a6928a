// Package rating prices usage. A [Tariff] and a usage give a charge; a balance gives the usage it affords; a [Plan] finds
// the tariff of a call by the longest prefix of the called number.
//
// Everything here is a value. Nothing reads a clock, a socket or a row, and nothing is a float: time, octets, messages
// and money are whole numbers of [Units] (RFC 8506 §8.8 asks for exact values on the wire).
package rating
