package table

// wireshark returns the AVPs of vendors as a fragment of Wireshark's Diameter dictionary, which knows those of the IETF.
// It can stand in the place of its diameter/Custom.xml.
func wireshark(t Table) []byte {
	var b text
	b.linef("<!-- %s -->", generated)
	for _, v := range t.Vendors {
		name := wiresharkVendors[v.ID]
		b.linef("<vendor vendor-id=\"%s\" code=\"%d\" name=\"%s\">", name, v.ID, v.Name)
		for _, a := range t.avps() {
			if a.Vendor == v {
				b.writeWiresharkAVP(a, name)
			}
		}
		b.line("</vendor>")
	}
	return b.Bytes()
}

func (b *text) writeWiresharkAVP(a AVP, vendor string) {
	mandatory := map[Flag]string{Must: "must", May: "may", MustNot: "mustnot"}[a.Flag]
	b.linef("\t<avp name=\"%s\" code=\"%d\" mandatory=\"%s\" may-encrypt=\"no\" vendor-bit=\"must\" vendor-id=\"%s\">",
		a.Name, a.Code, mandatory, vendor)
	if a.Type == "Grouped" {
		b.line("\t\t<grouped>")
		for _, m := range a.Members {
			b.linef("\t\t\t<gavp name=\"%s\"/>", m.Name)
		}
		b.line("\t\t</grouped>")
	} else {
		b.linef("\t\t<type type-name=\"%s\"/>", wiresharkType(a.Type))
		for _, v := range a.Values {
			b.linef("\t\t<enum name=\"%s\" code=\"%d\"/>", v.Name, v.Number)
		}
	}
	b.line("\t</avp>")
}

// wiresharkVendors are the names under which Wireshark's dictionary declares our vendors.
var wiresharkVendors = map[uint32]string{10415: "TGPP", 5535: "TGPP2", 193: "Ericsson", 2011: "Huawei"}

func wiresharkType(t string) string {
	if t == "Address" {
		return "IPAddress"
	}
	return t
}
