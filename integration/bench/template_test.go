package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	codes "github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/dict"
)

var reportedTime = regexp.MustCompile(`CC-Time .* Unsigned32 +59\n`)

var sample = ids{
	hopByHop:   0x01020304,
	endToEnd:   0x05060708,
	connection: 12,
	call:       345,
	subscriber: 67,
	used:       59,
	at:         time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
}

// What is patched into bytes is what another decoder reads.
func TestTemplatesDecode(t *testing.T) {
	t.Parallel()
	templates := newTemplates("tas1.bench.test", "bench.test", "ocs.bench.test", 1772366400)
	for s := range steps {
		t.Run(fmt.Sprint("step ", s), func(t *testing.T) {
			t.Parallel()
			before := bytes.Clone(templates[s].frame)
			frame := templates[s].append(nil, sample)
			if !bytes.Equal(before, templates[s].frame) {
				t.Error("the template was written to")
			}
			m, err := diam.ReadMessage(bytes.NewReader(frame), dict.Default)
			if err != nil {
				t.Fatal(err)
			}
			if m.Header.HopByHopID != 0x01020304 || m.Header.EndToEndID != 0x05060708 || int(m.Header.MessageLength) != len(frame) {
				t.Errorf("header %+v, %d octets", m.Header, len(frame))
			}
			text := m.PrettyDump()
			for _, want := range []string{
				"tas1.bench.test;1772366400;000012;0000000000345",
				"sip:491500000067@ims.bench.test",
				"262010000000067",
				"tel:+491500000067",
				"tel:+493010000345",
				"15.32260@3gpp.org",
				"ocs.bench.test",
				"icid-000012;0000000000345",
				"2026-03-01 12:00:00",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
			if strings.Contains(text, "PLACE") || bytes.Contains(frame, number(usedPlace)) || bytes.Contains(frame, number(timePlace)) {
				t.Errorf("a place is left empty:\n%s", text)
			}
			reports := strings.Contains(text, "Used-Service-Unit")
			asks := strings.Contains(text, "Requested-Service-Unit")
			if reports != (s != initial) || asks != (s != termination) {
				t.Errorf("step %d: reports %t, asks %t", s, reports, asks)
			}
			if reports && !reportedTime.MatchString(text) {
				t.Errorf("no usage of 59 in\n%s", text)
			}
			if unknown, err := m.FindAVP(codes.CCRequestNumber, 0); err != nil || !strings.Contains(unknown.String(), fmt.Sprintf("{%d}", s)) {
				t.Errorf("CC-Request-Number %v, %v", unknown, err)
			}
		})
	}
}

func TestRepeatedRequestDiffersInOneFlag(t *testing.T) {
	t.Parallel()
	templates := newTemplates("a.test", "test", "b.test", 1)
	first := templates[firstUpdate].append(nil, sample)
	again := sample
	again.repeated = true
	second := templates[firstUpdate].append(nil, again)
	if second[4] != first[4]|flagRepeated {
		t.Errorf("flags %#x, want %#x with T", second[4], first[4])
	}
	second[4] = first[4]
	if !bytes.Equal(first, second) {
		t.Error("more than a flag differs")
	}
}

func BenchmarkAppend(b *testing.B) {
	templates := newTemplates("tas1.bench.test", "bench.test", "ocs.bench.test", 1)
	var out []byte
	for b.Loop() {
		out = templates[firstUpdate].append(out[:0], sample)
	}
	b.ReportMetric(float64(len(out)), "octets")
}
