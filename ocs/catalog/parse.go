package catalog

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

	"github.com/gyro-ocs/gyro/rating"
)

var byteOrderMark = []byte("\ufeff")

// A parser gathers the plans of the files of a catalogue, and the faults of all of them.
type parser struct {
	plans   map[string]rating.Plan
	defined map[string]value // where each plan stands
	faults  *faults
	budget  int // values that may still be looked at
}

// maxValues bounds the work that a text can ask for: aliases of aliases multiply.
const maxValues = 2_000_000

func newParser() *parser {
	return &parser{
		plans:   map[string]rating.Plan{},
		defined: map[string]value{},
		faults:  &faults{},
		budget:  maxValues,
	}
}

// catalog returns what was gathered, or every fault.
func (p *parser) catalog(name string, source []byte) (*Catalog, error) {
	if len(p.defined) == 0 && len(p.faults.told) == 0 {
		p.faults.add(Fault{File: name, Reason: "no plan: write at least one below the key plans"})
	}
	if p.budget <= 0 {
		return nil, Fault{File: name, Reason: fmt.Sprintf("its aliases make more than %d values of it", maxValues)}
	}
	if err := p.faults.err(); err != nil {
		return nil, err
	}
	return newCatalog(p.plans, source), nil
}

// file reads one file: any number of YAML documents.
func (p *parser) file(name string, data []byte) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if line := firstUnreadable(data); line > 0 {
		p.faults.add(Fault{File: name, Line: line, Reason: "not UTF-8 text without control characters"})
		return
	}
	if line := directiveLine(data); line > 0 {
		p.faults.add(Fault{File: name, Line: line, Reason: "a YAML directive (%) is not used in a catalogue"})
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
	top := p.at(name, "", document.Content[0])
	fields, _ := top.fields("plans")
	plans, ok := fields["plans"]
	if !ok {
		return
	}
	for planName, v := range plans.entries("names of plans") {
		p.plan(planName, v)
	}
}

func (p *parser) plan(name string, v value) {
	if first, ok := p.defined[name]; ok {
		v.fault("a plan of this name is also in %s:%d; a plan is whole in one place", first.file, first.line)
		return
	}
	p.defined[name] = v
	if !isName(name) {
		v.fault("%q cannot name a plan: use 1 to %d letters, digits, dots, dashes and underscores", clip(name), maxName)
	}
	p.plans[name] = v.plan(name)
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

// directiveLine returns the first line that begins with %, or 0. No key or value of a catalogue can begin so.
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
