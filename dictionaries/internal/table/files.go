package table

import (
	"bytes"
	"fmt"
)

// Files returns the dictionaries that are made from t, by file name.
func Files(t Table) map[string][]byte {
	return map[string][]byte{"gyro.xml": goDiameter(t), "gyro.dia": erlang(t), "wireshark.xml": wireshark(t)}
}

// generated stands at the top of every file.
const generated = "Made from dictionary.txt by go generate; not to be edited."

// A text is a file in the making.
type text struct{ bytes.Buffer }

func (b *text) line(s string) {
	b.WriteString(s)
	b.WriteByte('\n')
}

func (b *text) linef(format string, args ...any) { b.line(fmt.Sprintf(format, args...)) }
