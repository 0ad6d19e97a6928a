package catalog

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/rating"
)

// A Catalog is a checked set of plans. It never changes.
type Catalog struct {
	plans   map[string]rating.Plan
	zones   *rating.Zones // nil: none
	terms   map[string]lifecycle.Terms
	source  []byte
	version string
}

// versionLength is in hexadecimal digits: 48 bits, so that a clash among a million versions is less likely than one in
// five hundred.
const versionLength = 12

func newCatalog(plans map[string]rating.Plan, zones *rating.Zones, source []byte) *Catalog {
	sum := sha256.Sum256(source)
	return &Catalog{plans: plans, zones: zones, source: source, version: hex.EncodeToString(sum[:])[:versionLength]}
}

// Version names the catalogue by its content: the first digits of the SHA-256 of [Catalog.Source]. A changed comment is
// another version, a renamed file is not.
func (c *Catalog) Version() string { return c.version }

// Plans returns the plans by name. The map is the caller's, what is in it is shared and must not be changed.
func (c *Catalog) Plans() map[string]rating.Plan { return maps.Clone(c.plans) }

// Zones returns the zones that the plans price, or nil.
func (c *Catalog) Zones() *rating.Zones { return c.zones }

// Source returns the text of the catalogue, for keeping. [Parse] makes the same catalogue of it.
func (c *Catalog) Source() []byte { return slices.Clone(c.source) }

//go:embed demo.yaml
var demo []byte

// Demo returns the catalogue that is shipped, with the plan demo.
func Demo() *Catalog {
	c, err := Parse("demo.yaml", demo)
	if err != nil {
		panic(fmt.Sprintf("catalog: the embedded demo.yaml is broken: %v", err))
	}
	return c
}
