package diameter

import (
	"fmt"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"
)

// A shape is what the wire form of an AVP must be like.
type shape struct {
	group bool
	size  int // of the value in octets; 0: any
}

// shapes holds the shape of every known AVP whose shape can be wrong, by application and by vendor and code.
type shapes map[uint32]map[uint64]shape

// avpKey names an AVP within an application.
func avpKey(vendor, code uint32) uint64 { return uint64(vendor)<<32 | uint64(code) }

// shapesOf returns the shapes that p decodes.
func shapesOf(p *dict.Parser, applications ...uint32) shapes {
	s := make(shapes)
	for _, application := range applications {
		s[application] = make(map[uint64]shape)
		for _, app := range p.Apps() {
			for _, a := range app.AVP {
				known, err := p.FindAVPByCode(application, a.Code, a.VendorID)
				if err != nil {
					continue // of an application that this one does not inherit from
				}
				if sh := shapeOf(known.Data.Type); sh != (shape{}) {
					s[application][avpKey(a.VendorID, a.Code)] = sh
				}
			}
		}
	}
	return s
}

func shapeOf(t datatype.TypeID) shape {
	switch t { //nolint:exhaustive // strings of any length are the rest
	case datatype.GroupedType:
		return shape{group: true}
	case datatype.Unsigned32Type, datatype.Integer32Type, datatype.EnumeratedType, datatype.Float32Type,
		datatype.TimeType, datatype.IPv4Type:
		return shape{size: 4}
	case datatype.Unsigned64Type, datatype.Integer64Type, datatype.Float64Type:
		return shape{size: 8}
	case datatype.IPv6Type:
		return shape{size: 16}
	}
	return shape{}
}

// A commandKey names a command of an application.
type commandKey struct{ application, command uint32 }

// served are the requests that have a handler here. Every other one gets 3001.
var served = []commandKey{
	{0, diam.CapabilitiesExchange}, {0, diam.DeviceWatchdog}, {0, diam.DisconnectPeer}, {creditControl, diam.CreditControl},
}

// asked are the requests that this node sends. Only their answers are taken.
var asked = []commandKey{
	{0, diam.DeviceWatchdog}, {0, diam.DisconnectPeer}, {creditControl, diam.ReAuth}, {creditControl, diam.AbortSession},
}

// checkCommands returns an error when p cannot decode a command of served, or an answer to one of asked. The library drops the connection on a
// command for which the dictionary has no rules.
func checkCommands(p *dict.Parser) error {
	for _, key := range served {
		command, err := p.FindCommand(key.application, key.command)
		if err != nil {
			return fmt.Errorf("dictionary: application %d command %d: %w", key.application, key.command, err)
		}
		if len(command.Request.Rule) == 0 {
			return fmt.Errorf("dictionary: application %d command %d has no rules for its request", key.application, key.command)
		}
	}
	for _, key := range asked {
		command, err := p.FindCommand(key.application, key.command)
		if err != nil {
			return fmt.Errorf("dictionary: application %d command %d: %w", key.application, key.command, err)
		}
		if len(command.Answer.Rule) == 0 {
			return fmt.Errorf("dictionary: application %d command %d has no rules for its answer", key.application, key.command)
		}
	}
	return nil
}
