package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A value is the place that a setting has in the configuration, and the way from YAML to it.
type value interface {
	// set takes in n, which was found at key, or tells r what is wrong with it.
	set(r nodeReader, key string, n *yaml.Node)
	// kind says what the value is, in a word for the help.
	kind() string
	// String returns the value as a flag would give it; before anything was set it is the default.
	String() string
}

// A structuredValue has keys of its own.
type structuredValue interface{ structured() }

// scalarValue is a value that is written in one word.
type scalarValue struct {
	name  string
	parse func(text string) error
	text  func() string
}

func (v scalarValue) kind() string   { return v.name }
func (v scalarValue) String() string { return v.text() }

func (v scalarValue) set(r nodeReader, key string, n *yaml.Node) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode {
		r.fault(n, key, "must be one value, a %s", v.name)
		return
	}
	text := n.Value
	if n.Tag == "!!null" {
		text = ""
	}
	if err := v.parse(text); err != nil {
		r.fault(n, key, "%w", err)
	}
}

func text(p *string) value {
	return scalarValue{
		name:  "text",
		parse: func(s string) error { *p = s; return nil },
		text:  func() string { return *p },
	}
}

func truth(p *bool) value {
	return scalarValue{
		name: "bool",
		parse: func(s string) error {
			switch strings.ToLower(s) {
			case "true", "yes", "on", "1":
				*p = true
			case "false", "no", "off", "0":
				*p = false
			default:
				return fmt.Errorf("%q is neither true nor false", s)
			}
			return nil
		},
		text: func() string { return strconv.FormatBool(*p) },
	}
}

// integer is what counts something, here or in the core.
type integer interface{ ~int | ~int64 }

func whole[T integer](p *T, least, most T) value {
	return scalarValue{
		name: "number",
		parse: func(s string) error {
			n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
			switch {
			case err != nil:
				return fmt.Errorf("%q is not a whole number", s)
			case T(n) < least || T(n) > most:
				return fmt.Errorf("%s is not from %d to %d", s, least, most)
			}
			*p = T(n)
			return nil
		},
		text: func() string { return fmt.Sprint(*p) },
	}
}

func span(p *time.Duration, least, most time.Duration) value {
	return scalarValue{
		name: "duration",
		parse: func(s string) error {
			d, err := time.ParseDuration(s)
			switch {
			case err != nil:
				return fmt.Errorf("%q is not a duration such as 30s, 5m or 1h30m", s)
			case d < least || d > most:
				return fmt.Errorf("%s is not from %v to %v", s, least, most)
			}
			*p = d
			return nil
		},
		text: func() string { return p.String() },
	}
}

func choice[T ~string](p *T, choices ...T) value {
	return scalarValue{
		name: "word",
		parse: func(s string) error {
			if !slices.Contains(choices, T(s)) {
				return fmt.Errorf("%q is none of %s", s, words(choices))
			}
			*p = T(s)
			return nil
		},
		text: func() string { return string(*p) },
	}
}

func words[T ~string](all []T) string {
	var b strings.Builder
	for i, word := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// listValue is a list of words: a YAML sequence, or one text with commas.
type listValue struct{ p *[]string }

func list(p *[]string) value { return listValue{p} }

func (v listValue) kind() string   { return "list" }
func (v listValue) String() string { return strings.Join(*v.p, ",") }

func (v listValue) set(r nodeReader, key string, n *yaml.Node) {
	n = resolve(n)
	var words []string
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag != "!!null" {
			for word := range strings.SplitSeq(n.Value, ",") {
				if word = strings.TrimSpace(word); word != "" {
					words = append(words, word)
				}
			}
		}
	case yaml.SequenceNode:
		for i, element := range n.Content {
			element = resolve(element)
			if element.Kind != yaml.ScalarNode || element.Value == "" {
				r.fault(element, fmt.Sprintf("%s[%d]", key, i), "must be one word")
				continue
			}
			words = append(words, element.Value)
		}
	default:
		r.fault(n, key, "must be a list, such as [a, b]")
		return
	}
	*v.p = words
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("is not a URL such as http://127.0.0.1:4318") // the text may hold a password
	}
	return nil
}
