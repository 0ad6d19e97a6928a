// Package yamltext reads YAML that people write, and tells every fault with its file, line and key. What an author can do
// wrong is collected, not returned at the first: a [Reader] gathers, and its Err tells all of it in the order of lines.
//
// A [Value] is a node of the text, and reads itself as a mapping, a list, text, a truth or a whole number. What it is not
// becomes a fault and reads as nothing. Packages that give YAML a meaning (ocs/catalog, ocs/policy) embed it and add what is
// theirs.
//
// Of YAML, merge keys, directives and any encoding but UTF-8 are faults. Aliases are followed, as often as the reader's
// bound on values allows: aliases of aliases multiply.
package yamltext
