package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Reader reads texts that belong together, and gathers the faults of all of them.
type Reader struct {
	what   string // what the texts are
	faults faults
	budget int // values that may still be looked at
	most   int
}

// NewReader returns a reader of what, such as "a catalogue", that looks at no more values than most.
func NewReader(what string, most int) *Reader { return &Reader{what: what, budget: most, most: most} }

// Add tells a fault that no value has.
func (r *Reader) Add(fault Fault) { r.faults.add(fault) }

// Faults returns how many faults there are so far.
func (r *Reader) Faults() int { return r.faults.count() }

// Err returns all faults, joined in the order of files and lines, or nil. name is what to call the texts together. Where
// there were too many values that is the only fault told: the others may be of what was not looked at.
func (r *Reader) Err(name string) error {
	if r.budget <= 0 {
		return Fault{File: name, Reason: fmt.Sprintf("its aliases make more than %d values of it", r.most)}
	}
	return r.faults.err()
}

// TrimMark returns data without the byte order mark that some editors write.
func TrimMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\ufeff")) }

// Documents reads the YAML documents of a text, those that hold more than comments. name stands in the faults.
func (r *Reader) Documents(name string, data []byte) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		data := TrimMark(data)
		if line := firstUnreadable(data); line > 0 {
			r.Add(Fault{File: name, Line: line, Reason: "not UTF-8 text without control characters"})
			return
		}
		if line := directiveLine(data); line > 0 {
			r.Add(Fault{File: name, Line: line, Reason: "a YAML directive (%) is not used in " + r.what})
			return
		}
		decoder := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var document yaml.Node
			switch err := decoder.Decode(&document); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				r.Add(syntaxFault(name, data, err))
				return
			}
			if len(document.Content) != 1 || document.Content[0].Tag == "!!null" {
				continue // nothing but comments
			}
			if !yield(r.at(name, "", document.Content[0])) {
				return
			}
		}
	}
}

// syntaxFault takes the line out of the text that the YAML package makes; it offers it in no other way. That package
// counts from 0 when its parser complains and from 1 when its scanner does, and leaves the first line out.
func syntaxFault(name string, data []byte, err error) Fault {
	found := syntaxError.FindStringSubmatch(err.Error())
	if found == nil {
		return Fault{File: name, Reason: "not YAML: " + Clip(err.Error())}
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
	return Fault{File: name, Line: line, Reason: "not YAML: " + Clip(reason)}
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

// directiveLine returns the first line that begins with %, or 0. No key or value of ours can begin so.
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
