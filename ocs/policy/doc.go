// Package policy reads the rules of minute transfers from YAML into a [transfer.Policy], as section 6.1 of spec/transfer writes
// them.
//
// A policy is one file. It is taken whole or not at all: every fault is told with its file, line and key and with what would be
// right, and while there is one nothing is loaded. The format is explained in policy.yaml, which is also what [Default] returns
// and is the same policy as [transfer.Default]; policy.schema.json tells it to editors. Keys that are not known are faults and
// not ignored: a misspelt limit would let everything through.
//
// A policy is named by what its author calls it and by its content ([Policy.Version]), so that every decision can say by which
// text it was made, and the text itself ([Policy.Source]) can be kept and read again with [Parse].
//
// # Differences from the example in the specification
//
// The sections rules and approvals, and the reset path of PINs, are not rules that [transfer.Policy] has, and are refused as
// unknown keys instead of being read and not followed. default_usable and weak_list can only be told the way they are: a default
// PIN opens nothing, and PINs that are easy to guess cannot be chosen. max_hops of eligibility is that of every class that
// names none itself.
package policy
