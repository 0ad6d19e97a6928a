package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/yamltext/yamltest"
)

const schemaFile = "catalog.schema.json"

// The schema knows the keys that the reader knows, no more and no fewer.
func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	t.Parallel()
	yamltest.ReadSchema(t, schemaFile).CompareKeys(t, map[string][]string{
		"plan":         planKeys,
		"numbering":    numberingKeys,
		"service":      serviceKeys,
		"tariff":       tariffKeys,
		"calledTariff": calledTariffKeys,
		"roaming":      roamingKeys,
		"zones":        zoneKeys,
		"networks":     networkKeys,
		"calendar":     calendarKeys,
		"payer":        payerKeys,
		"period":       periodKeys,
		"terms":        termsKeys,
		"allowance":    allowanceKeys,
		"notices":      noticesKeys,
	})
}

// What the reader accepts, the schema accepts.
func TestSchemaAcceptsTheDemo(t *testing.T) {
	t.Parallel()
	if faults := yamltest.ReadSchema(t, schemaFile).Check(t, demo); len(faults) > 0 {
		t.Errorf("demo.yaml by the schema: %s", strings.Join(faults, "\n"))
	}
}

// What is wrong in form is refused by the schema too. It knows less: 0.5 is a number to it, and for it 0800 must be one.
func TestSchemaRefusesFaults(t *testing.T) {
	t.Parallel()
	schema := yamltest.ReadSchema(t, schemaFile)
	for _, tariff := range []string{
		"{price: 1}", "{name: a}", "{name: a b, price: 1}", "{name: a, price: .5x}", "{name: a, price: 1/2/3}",
		"{name: a, price: +4/1}", "{name: a, price: [4, 1]}", "{name: a, price: 1, minimum: 30}",
		"{name: a, price: 1, setup: -1}", "{name: a, price: 1, setup: none}", "{name: a, price: 1, increments: per minute}",
		"{name: a, price: 1, measures: minutes}", "{name: a, price: 1, pays: EURO}", "{name: a, price: 1, buckets: []}",
		"{name: a, price: 1, buckets: plan}", "{name: a, barred: maybe}", "4/1", "[]", "",
	} {
		text := "plans: {p: {voice: {default: " + tariff + "}}}"
		if faults := schema.Check(t, []byte(text)); len(faults) == 0 {
			t.Errorf("accepted: %s", text)
		}
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("accepted by the reader: %s", text)
		}
	}
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of faults: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if faults := schema.Check(t, data); len(faults) == 0 {
			t.Errorf("%s is accepted", file)
		}
	}
}
