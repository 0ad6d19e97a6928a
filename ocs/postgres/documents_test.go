package postgres

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailru/easyjson"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres/internal/filltest"
)

// A field that is added to a type of package ocs and forgotten here is lost between two requests.
func TestDocumentsKeepEveryField(t *testing.T) {
	t.Parallel()
	keeps(t, "conditions", conditionsToDocument, conditionsFromDocument)
	keeps(t, "quota", quotaToDocument, quotaFromDocument)
	keeps(t, "line", lineToDocument, lineFromDocument)
	keeps(t, "memory", memoryToDocument, memoryFromDocument)
	keeps(t, "answer", answerToDocument, answerFromDocument)
}

func keeps[Value any, Document easyjson.Marshaler, Pointer interface {
	*Document
	easyjson.Unmarshaler
}](t *testing.T, name string, to func(Value) Document, from func(Document) Value) {
	t.Helper()
	var full, empty Value
	filltest.Fill(&full)
	for _, want := range []Value{full, empty} {
		var column documents
		column.add(to(want))
		text := column.value()
		document, err := decode[Document, Pointer](name, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := from(document); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: written as %s\ngot  %+v\nwant %+v", name, text, got, want)
		}
	}
}

// Rows outlive the program that wrote them: what an earlier version wrote must be read for ever, and what a later one
// adds must not disturb. When this test fails, a key was renamed.
func TestDocumentsOfOtherVersions(t *testing.T) {
	t.Parallel()
	const memory = `{"seen":[[1,0,0],[2,1,3]],"answers":[{"t":2,"n":3,"at_us":1772366400000000,"a":{"v":1,"s":[{"rg":10,` +
		`"v":1,"measure":"seconds","granted":60,"validity_ns":360000000000,"threshold":12,"final":true}]}}],"of_the_future":7}`
	m, err := decode[memoryDocument]("memory", []byte(memory))
	if err != nil {
		t.Fatal(err)
	}
	want := ocs.Memory{
		Seen: []ocs.Span{{Type: ocs.Initial}, {Type: ocs.Update, First: 1, Last: 3}},
		Answers: []ocs.Remembered{{
			Type: ocs.Update, Number: 3, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
			Answer: ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
				RatingGroup: new(uint32(10)), Verdict: ocs.Granted, Measure: "seconds", Granted: 60,
				Validity: 6 * time.Minute, Threshold: 12, Final: true,
			}}},
		}},
	}
	if got := memoryFromDocument(m); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	const quota = `{"rg":10,"sids":[1],"tariff":{"name":"home","measures":"seconds","pays":"seconds","first":1,"next":1,` +
		`"price":1,"per":1},"used":5,"charged":5,"taken":[{"bucket":"b","units":5}],"granted":60,"held":[{"bucket":"b","units":60}]}`
	q, err := decode[quotaDocument]("quotas", []byte(quota))
	if err != nil {
		t.Fatal(err)
	}
	if got := quotaFromDocument(q); got.Used != 5 || got.Held[0] != (ocs.Hold{Bucket: "b", Units: 60}) || got.Tariff.Price.Per != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestMalformedDocumentIsABug(t *testing.T) {
	t.Parallel()
	_, err := decode[memoryDocument]("memory", []byte(`{"seen":7}`))
	if err == nil || !strings.Contains(err.Error(), "column memory") || Classify(err) != Bug {
		t.Errorf("got %v", err)
	}
}

func TestShortDocuments(t *testing.T) {
	t.Parallel()
	var s ocs.Session
	for name, document := range map[string]any{
		"conditions": conditionsToDocument(s.Conditions), "memory": memoryToDocument(s.Memory),
	} {
		if got, err := json.Marshal(document); err != nil || string(got) != "{}" {
			t.Errorf("empty %s is %s, %v, want {}", name, got, err)
		}
	}
}
