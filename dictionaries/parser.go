package dictionaries

import (
	"bytes"
	"embed"
	"encoding/xml"
	"fmt"

	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"
)

// Files holds the dictionaries for other programs, under the names in the package documentation.
//
//go:embed dictionary.txt gyro.xml gyro.dia wireshark.xml
var Files embed.FS

// Parser returns go-diameter's parser with applications 0 and 4 and nothing else, so that no other is advertised. The
// parser is not to be loaded any further: its look-ups take no lock.
//
// It differs from one that merely loaded gyro.xml. go-diameter v4.3.0 decodes an AVP that it does not know as the AVP of
// the same code of any other vendor, so that an Unsigned64 of one vendor becomes a broken Unsigned32 of another. Here
// such an AVP is decoded as [datatype.Unknown], octets as they came. Nor is an error in one AVP an error of the message,
// which would drop the connection.
func Parser() (*dict.Parser, error) {
	master, err := Files.ReadFile("gyro.xml")
	if err != nil {
		return nil, fmt.Errorf("read the Diameter dictionary: %w", err)
	}
	p, err := dict.NewParser()
	if err != nil {
		return nil, fmt.Errorf("make a Diameter dictionary: %w", err)
	}
	if err := p.Load(bytes.NewReader(master)); err != nil {
		return nil, fmt.Errorf("load the Diameter dictionary: %w", err)
	}
	if err := separateVendors(p); err != nil {
		return nil, fmt.Errorf("separate the vendors of the Diameter dictionary: %w", err)
	}
	p.Strict = false
	return p, nil
}

// separateVendors puts an AVP of type Unknown at the place where the parser looks for an AVP "of any vendor" when it
// finds none of the right one: under the vendor dict.UndefinedVendorID. A dictionary cannot name the type Unknown, so
// it is loaded as another type and set afterwards.
func separateVendors(p *dict.Parser) error {
	var shadows dict.File
	codes := map[uint32]bool{}
	for _, app := range p.Apps() {
		for _, avp := range app.AVP {
			codes[avp.Code] = true
		}
	}
	for _, app := range p.Apps() {
		shadow := &dict.App{ID: app.ID, Type: app.Type, Name: app.Name}
		for code := range codes {
			shadow.AVP = append(shadow.AVP, &dict.AVP{
				Name: fmt.Sprintf("Unknown-%d", code), Code: code, VendorID: dict.UndefinedVendorID,
				Data: dict.Data{TypeName: "OctetString"},
			})
		}
		shadows.App = append(shadows.App, shadow)
	}
	encoded, err := encode(shadows)
	if err != nil {
		return err
	}
	if err := p.Load(bytes.NewReader(encoded)); err != nil {
		return err
	}
	for _, app := range p.Apps() {
		for code := range codes {
			avp, err := p.FindAVPByCode(app.ID, code, dict.UndefinedVendorID)
			if err != nil {
				return err
			}
			avp.Data.Type = datatype.UnknownType
		}
	}
	return nil
}

// encode writes f as go-diameter reads it. dict.AVP has a link back to its application, which must not be followed.
func encode(f dict.File) ([]byte, error) {
	for _, app := range f.App {
		for _, avp := range app.AVP {
			avp.App = nil
		}
	}
	return xml.Marshal(f)
}
