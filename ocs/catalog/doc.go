// Package catalog reads plans and tariffs from YAML into the values of package rating.
//
// A catalogue is one file or a directory of them. It is taken whole or not at all: every fault is told with its file,
// line and key and with what would be right, and while there is one nothing is loaded. The format is explained in
// demo.yaml, which is also what [Demo] returns; catalog.schema.json tells it to editors.
//
// A catalogue is named by its content ([Catalog.Version]), so that every rated event can say under which text it was
// priced, and the text itself ([Catalog.Source]) can be kept and read again with [Parse].
//
// Zones come from a CSV file beside the YAML, which is kept in the text of the catalogue. Plans may name what stands in any of
// the files: they are read last.
//
// What is left out: names, descriptions and comments for people stay in the text. Unknown keys are faults and not
// ignored: a misspelt "barred" would let premium numbers through. Aliases of YAML are followed, so that plans can share
// tariffs; merge keys and directives are not used.
package catalog
