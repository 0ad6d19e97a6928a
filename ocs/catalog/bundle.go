package catalog

import "bytes"

// The text of a catalogue is the YAML of its files, one document after the other, and behind it each CSV file after a line
// that names it. Such a line begins like a directive of YAML, which no file of a catalogue may have, so it cannot be
// mistaken.

const fileMark = "%file "

// appendFile adds a CSV file to the text of a catalogue.
func appendFile(source []byte, name string, data []byte) []byte {
	source = endLine(source)
	source = append(source, fileMark+name+"\n"...)
	return endLine(append(source, data...))
}

func endLine(text []byte) []byte {
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	return text
}

// takeApart undoes appendFile.
func takeApart(source []byte) (documents []byte, files map[string][]byte) {
	files = map[string][]byte{}
	documents, rest := cutMark(source)
	for len(rest) > 0 {
		var name, data []byte
		name, data, _ = bytes.Cut(rest, []byte("\n"))
		data, rest = cutMark(data)
		files[string(name)] = data
	}
	return documents, files
}

// cutMark cuts text at the first line that begins with a mark.
func cutMark(text []byte) (before, after []byte) {
	if bytes.HasPrefix(text, []byte(fileMark)) {
		return nil, text[len(fileMark):]
	}
	if at := bytes.Index(text, []byte("\n"+fileMark)); at >= 0 {
		return text[:at+1], text[at+1+len(fileMark):]
	}
	return text, nil
}
