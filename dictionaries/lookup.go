package dictionaries

import (
	"bytes"
	"strings"
	"sync"

	"github.com/gyro-ocs/gyro/dictionaries/internal/table"
)

// An AVP is what the dictionary says of one.
type AVP struct {
	Name   string
	Type   string           // as RFC 6733 §4.2 and §4.3 name it
	Values map[int32]string // of an Enumerated
}

type avpKey struct{ vendor, code uint32 }

// index is dictionary.txt by code. It is part of the program and always right; a test reads it.
var index = sync.OnceValue(func() (found struct {
	avps     map[avpKey]AVP
	commands map[uint32][2]string // answer, request
},
) {
	found.avps, found.commands = make(map[avpKey]AVP), make(map[uint32][2]string)
	master, err := Files.ReadFile("dictionary.txt")
	if err != nil {
		panic("dictionaries: " + err.Error())
	}
	t, err := table.Read(bytes.NewReader(master))
	if err != nil {
		panic("dictionaries: " + err.Error())
	}
	for _, app := range t.Applications {
		for _, a := range app.AVPs {
			known := AVP{Name: a.Name, Type: a.Type}
			for _, v := range a.Values {
				if known.Values == nil {
					known.Values = make(map[int32]string)
				}
				known.Values[v.Number] = v.Name
			}
			found.avps[avpKey{a.Vendor.ID, a.Code}] = known
		}
		for _, c := range app.Commands {
			names := found.commands[c.Code]
			if strings.HasSuffix(c.Short, "R") {
				names[1] = c.Name
			} else {
				names[0] = c.Name
			}
			found.commands[c.Code] = names
		}
	}
	return found
})

// Lookup returns what the dictionary says of the AVP of this code; vendor is 0 for the IETF.
func Lookup(vendor, code uint32) (AVP, bool) {
	a, ok := index().avps[avpKey{vendor, code}]
	return a, ok
}

// CommandName returns the name of a command, such as Credit-Control-Request; empty for one that the dictionary has not.
func CommandName(code uint32, request bool) string {
	if request {
		return index().commands[code][1]
	}
	return index().commands[code][0]
}
