package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/transfer"
)

var byteOrderMark = []byte("\ufeff")

// A parser reads the documents of a policy, and gathers the faults of all of them.
type parser struct {
	rules  *transfer.Policy // nil: not read yet
	line   int              // where they stand
	faults *faults
	budget int // values that may still be looked at
}

// maxValues bounds the work that a text can ask for: aliases of aliases multiply.
const maxValues = 100_000

// Parse reads a policy of one text. name stands in the faults.
func Parse(name string, data []byte) (*Policy, error) {
	if len(data) > maxSize {
		return nil, Fault{File: name, Reason: fmt.Sprintf("more than the %d octets that are read", maxSize)}
	}
	p := &parser{faults: &faults{}, budget: maxValues}
	p.file(name, data)
	return p.policy(name, bytes.Clone(bytes.TrimPrefix(data, byteOrderMark)))
}

// policy returns what was read, or every fault.
func (p *parser) policy(name string, source []byte) (*Policy, error) {
	if p.rules == nil && len(p.faults.told) == 0 {
		p.faults.add(Fault{File: name, Reason: "no policy: write one below the key transfer"})
	}
	if p.budget <= 0 {
		return nil, Fault{File: name, Reason: fmt.Sprintf("its aliases make more than %d values of it", maxValues)}
	}
	if err := p.faults.err(); err != nil {
		return nil, err
	}
	policy := newPolicy(p.rules, source)
	if err := policy.rules.Validate(); err != nil { // what it finds was found with its line; this is for what was forgotten here
		return nil, Fault{File: name, Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return policy, nil
}

// file reads one file: any number of YAML documents.
func (p *parser) file(name string, data []byte) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if line := firstUnreadable(data); line > 0 {
		p.faults.add(Fault{File: name, Line: line, Reason: "not UTF-8 text without control characters"})
		return
	}
	if line := directiveLine(data); line > 0 {
		p.faults.add(Fault{File: name, Line: line, Reason: "a YAML directive (%) is not used in a policy"})
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			p.faults.add(syntaxFault(name, data, err))
			return
		}
		p.document(name, &document)
	}
}

func (p *parser) document(name string, document *yaml.Node) {
	if len(document.Content) != 1 || document.Content[0].Tag == "!!null" {
		return // nothing but comments
	}
	fields, _ := p.at(name, "", document.Content[0]).fields("transfer")
	v, ok := fields["transfer"]
	switch {
	case !ok:
	case p.rules != nil:
		v.fault("the key is also in line %d; a policy is whole in one place", p.line)
	default:
		p.rules, p.line = v.rules(), v.line
	}
}

// syntaxFault takes the line out of the text that the YAML package makes; it offers it in no other way. That package
// counts from 0 when its parser complains and from 1 when its scanner does, and leaves the first line out.
func syntaxFault(name string, data []byte, err error) Fault {
	found := syntaxError.FindStringSubmatch(err.Error())
	if found == nil {
		return Fault{File: name, Reason: "not YAML: " + clip(err.Error())}
	}
	reason := found[2]
	line, _ := strconv.Atoi(found[1]) // none: 0
	if line == 0 || strings.HasPrefix(reason, "did not find expected") {
		line++
	}
	if unknown := unknownAnchor.FindStringSubmatch(reason); unknown != nil { // told without any line
		before, _, _ := bytes.Cut(data, []byte("*"+unknown[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	line = min(line, 1+bytes.Count(data, []byte("\n"))) // the end of a file without its last line end counts as a line more
	return Fault{File: name, Line: line, Reason: "not YAML: " + clip(reason)}
}

var (
	syntaxError   = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// firstUnreadable returns the first line that holds anything but printable UTF-8, or 0. Other encodings would break
// when files are put together, and control characters would reach terminals in fault texts.
func firstUnreadable(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0, r == '\ufeff':
			return line
		}
		data = data[size:]
	}
	return 0
}

// directiveLine returns the first line that begins with %, or 0. No key or value of a policy can begin so.
func directiveLine(data []byte) int {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if text[0] == '%' {
			return line
		}
	}
	return 0
}
