package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/catalog"
)

// A catalogue is refused whole with every fault named, or loaded whole, and never takes a plan away from somebody who has it.
func TestCatalog(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	const path = "/care/v1/catalog"
	demo := string(catalog.Demo().Source())
	wrong := ask(t, s, "PUT", path, map[string]any{"source": "plans: {p: {voice: {default: {name: a, price: x, setup: y}}}}"})
	wantStatus(t, wrong, http.StatusUnprocessableEntity)
	for _, fault := range []string{"catalogue:1: plans.p.voice.default.price", "catalogue:1: plans.p.voice.default.setup"} {
		if !strings.Contains(wrong.text, fault) {
			t.Errorf("%s does not name %s", wrong.text, fault)
		}
	}
	wantStatus(t, ask(t, s, "POST", path+"/rollback", map[string]any{}), http.StatusConflict)
	wantStatus(t, ask(t, s, "POST", path+"/rollback", map[string]any{"version": "none"}), http.StatusNotFound)

	var change api.CatalogChange
	other := strings.Replace(demo, "price: 4/1", "price: 5/1", 1)
	ask(t, s, "PUT", path, map[string]any{"source": other, "check": true}).decode(t, &change)
	if change.Loaded || len(change.Changes) != 1 || !strings.Contains(change.Changes[0], "tariff australia") {
		t.Errorf("checked: %+v", change)
	}
	ask(t, s, "PUT", path, map[string]any{"source": other}).decode(t, &change)
	if !change.Loaded || change.Before != catalog.Demo().Version() {
		t.Errorf("loaded: %+v", change)
	}
	var shown api.CatalogInForce
	ask(t, s, "GET", path, nil).decode(t, &shown)
	if shown.Before != catalog.Demo().Version() || shown.ChangedAt == nil {
		t.Errorf("in force: %+v", shown)
	}
	var kept api.Catalog
	ask(t, s, "GET", "/care/v1/catalogs/"+change.Version, nil).decode(t, &kept)
	if kept.Source != other {
		t.Errorf("kept as %q", kept.Source)
	}

	create(t, s, "4930000001", 60) // of plan demo
	lost := ask(t, s, "PUT", path, map[string]any{"source": "plans: {p: {voice: {default: {name: a, price: 1}}}}"})
	wantStatus(t, lost, http.StatusConflict)
	if !strings.Contains(lost.text, "demo") {
		t.Errorf("does not name the plan: %s", lost.text)
	}
}
