package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/diameter"
)

// peerSettings are the keys of one peer.
func peerSettings(p *diameter.Peer) []setting {
	return []setting{
		{"name", "", text(&p.Name)},
		{"security", "", oneOf("word", map[string]bool{"tls": false, "none": true}, &p.Plain)},
		{"instances", "", whole(&p.Instances, 1, 1000)},
		{"certificates", "", list(&p.Certificates)},
		{"realms", "", list(&p.Realms)},
		{"contexts", "", list(&p.Contexts)},
		{"free_refund", "", truth(&p.FreeRefund)},
		{"strict", "", truth(&p.Strict)},
		{"rate", "", whole(&p.Rate, 0, 1<<30)},
		{"transfers", "", operationsValue{&p.Transfers}},
		{"vouches", "", truth(&p.Vouches)},
	}
}

// peersValue is the list of peers. What is set replaces what is there.
type peersValue struct{ p *[]diameter.Peer }

func (peersValue) structured()    {}
func (peersValue) kind() string   { return "yaml" }
func (peersValue) String() string { return "" }

func (v peersValue) set(r nodeReader, key string, n *yaml.Node) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		*v.p = nil
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, key, "must be a list, each element with a name")
		return
	}
	var peers []diameter.Peer
	named := make(map[string]bool)
	for i, element := range n.Content {
		path := fmt.Sprintf("%s[%d]", key, i)
		var p diameter.Peer
		r.named(path, element, peerSettings(&p))
		switch {
		case !isPeerName(p.Name):
			r.fault(element, path, "name %q is neither an Origin-Host nor *.domain", p.Name)
		case named[p.Name]:
			r.fault(element, path, "%s is there twice", p.Name)
		}
		named[p.Name] = true
		peers = append(peers, p)
	}
	*v.p = peers
}

func isPeerName(name string) bool {
	if len(name) > 2 && name[:2] == "*." {
		name = name[2:]
	}
	return isIdentity(name)
}
