package catalog

import (
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// networkKeys are the keys of networks, as catalog.schema.json has them.
var networkKeys = []string{"codes", "nodes"}

// networks reads which networks go by one name.
func (v value) networks() (n rating.Networks) {
	fields, ok := v.fields(networkKeys...)
	if !ok {
		return n
	}
	if codes, ok := fields["codes"]; ok {
		for _, item := range codes.items() {
			code, ok := item.Text()
			if ok && (!yamltext.IsDigits(code) || len(code) != 3 && len(code) != 5 && len(code) != 6) {
				item.Faultf("%q is no network: MCC (262, all of a country) or MCC and MNC (26201)", yamltext.Clip(code))
			}
			n.Codes = append(n.Codes, code)
		}
	}
	if nodes, ok := fields["nodes"]; ok {
		for _, item := range nodes.items() {
			node, ok := item.Text()
			if ok && (!strings.HasPrefix(node, "+") || !yamltext.IsDigits(node[1:]) || len(node) > maxDigits) {
				item.Faultf("%q is not how the number of a switch begins: + and digits, such as +49", yamltext.Clip(node))
			}
			n.Nodes = append(n.Nodes, node)
		}
	}
	if len(n.Codes)+len(n.Nodes) == 0 {
		v.Faultf("no network is told: add codes, nodes or both")
	}
	return n
}

// joined reads a list of names of networks. "*" is every network.
func (p *parser) joined(v value) (n rating.Networks) {
	for _, item := range v.items() {
		name, ok := item.Text()
		if !ok {
			continue
		}
		if name == everythingElse {
			n.All = true
			continue
		}
		one, ok := p.networks[name]
		if !ok {
			item.Faultf("no networks are named %q; they stand below the key networks", yamltext.Clip(name))
		}
		n.Codes = append(n.Codes, one.Codes...)
		n.Nodes = append(n.Nodes, one.Nodes...)
	}
	return n
}
