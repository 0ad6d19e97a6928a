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
// Approvals are for transfers (send, reverse): a second person for grants and for the policy itself is the care API's matter. No
// rule compares with what all other customers do (commission_per_customer > p99): a total over all slots decides nothing
// (spec/store S11). The reset path of PINs is no rule that [transfer.Policy] has, and is refused as an unknown key instead of
// being read and not followed. default_usable and weak_list can only be told the way they are: a default
// PIN opens nothing, and PINs that are easy to guess cannot be chosen. max_hops of eligibility is that of every class that
// names none itself.
package policy
