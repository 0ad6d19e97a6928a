package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/transfer"
)

// gatewaysValue is the list of USSD gateways. What is set replaces what is there.
type gatewaysValue struct{ p *[]api.USSDGateway }

func (gatewaysValue) structured()    {}
func (gatewaysValue) kind() string   { return "yaml" }
func (gatewaysValue) String() string { return "" }

func (v gatewaysValue) set(r nodeReader, key string, n *yaml.Node) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		*v.p = nil
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, key, "must be a list, each element with name, dialect and token")
		return
	}
	var gateways []api.USSDGateway
	for i, element := range n.Content {
		g := api.USSDGateway{Dialect: api.Dialects()[0]}
		r.named(fmt.Sprintf("%s[%d]", key, i), element, []setting{
			{"name", "", text(&g.Name)},
			{"dialect", "", choice(&g.Dialect, api.Dialects()...)},
			{"token", "", text(&g.Token)},
			{"reply", "", text(&g.Reply)},
		})
		gateways = append(gateways, g)
	}
	*v.p = gateways
}

// operationsValue is a list of operations of transfers. One that is empty allows none.
type operationsValue struct{ p *[]transfer.Operation }

func (operationsValue) kind() string { return "list" }

func (v operationsValue) String() string {
	names := make([]string, len(*v.p))
	for i, o := range *v.p {
		names[i] = o.String()
	}
	return strings.Join(names, ",")
}

func (v operationsValue) set(r nodeReader, key string, n *yaml.Node) {
	var names []string
	list(&names).set(r, key, n)
	operations, err := diameter.TransferOperations(names)
	if err != nil {
		r.fault(n, key, "%w", err)
		return
	}
	*v.p = operations
}
