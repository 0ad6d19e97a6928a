package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Catalog is plans and tariffs, as their author wrote them.
type Catalog struct {
	Version string     `json:"version"`
	Source  string     `json:"source,omitempty" doc:"YAML, and behind it the CSV files of zones"`
	SavedAt *time.Time `json:"saved_at"`
	SavedBy string     `json:"saved_by,omitempty"`
}

// CatalogInForce is the catalogue that new sessions begin with.
type CatalogInForce struct {
	Catalog
	Plans     []string   `json:"plans" nullable:"false"`
	Before    string     `json:"before" doc:"version that was in force before, and is again after a rollback; empty: none was loaded yet"`
	ChangedAt *time.Time `json:"changed_at"`
	ChangedBy string     `json:"changed_by,omitempty"`
}

// CatalogList is catalogues that were loaded, newest first, without their text.
type CatalogList struct {
	Catalogs []Catalog `json:"catalogs" nullable:"false"`
}

// NewCatalog is the body that checks or loads a catalogue.
type NewCatalog struct {
	Source string `json:"source" minLength:"1" maxLength:"16777216" doc:"YAML, and behind it the CSV files of zones"`
	Check  bool   `json:"check,omitempty" doc:"tell what would change, and change nothing"`
	Person string `json:"person,omitempty" maxLength:"64"`
}

// CatalogChange is what loading a catalogue changed, or would.
type CatalogChange struct {
	Version string   `json:"version"`
	Before  string   `json:"before" doc:"version that was in force"`
	Changes []string `json:"changes" nullable:"false" doc:"in words"`
	Loaded  bool     `json:"loaded"`
}

// Rollback is the body that puts a catalogue in force again.
type Rollback struct {
	Version string `json:"version,omitempty" maxLength:"128" doc:"absent: the one before that in force"`
	Person  string `json:"person,omitempty" maxLength:"64"`
}

// The longest body that loads a catalogue, and how long it may take to come.
const (
	maxCatalog     = 40 << 20 // JSON makes two octets of a line end
	catalogTimeout = time.Minute
)

func (s *server) handleCatalog(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-catalog", Method: http.MethodGet, Path: "/care/v1/catalog", Summary: "Show the catalogue that is in force",
	}), func(ctx context.Context, _ *struct{}) (*struct{ Body CatalogInForce }, error) {
		return s.catalogInForce(ctx)
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-catalogs", Method: http.MethodGet, Path: "/care/v1/catalogs", Summary: "List the catalogues that were loaded, newest first",
	}), s.listCatalogs)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-catalog-version", Method: http.MethodGet, Path: "/care/v1/catalogs/{version}",
		Summary: "Show a catalogue that was loaded", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *struct {
		Version string `path:"version" maxLength:"128"`
	}) (*struct{ Body Catalog }, error) {
		found, err := s.findCatalog(ctx, in.Version)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Catalog }{tellCatalog(found)}, nil
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "load-catalog", Method: http.MethodPut, Path: "/care/v1/catalog", MaxBodyBytes: maxCatalog, BodyReadTimeout: catalogTimeout,
		Summary:     "Check a catalogue, and put it in force on all servers",
		Description: "New sessions begin with it from the next second on. Those that run finish by the one that they began with.",
		Errors:      []int{http.StatusConflict},
	}), s.loadCatalog)
	huma.Register(care, operation(huma.Operation{
		OperationID: "roll-back-catalog", Method: http.MethodPost, Path: "/care/v1/catalog/rollback",
		Summary: "Put a catalogue that was loaded in force again", Errors: []int{http.StatusNotFound, http.StatusConflict},
	}), s.rollBackCatalog)
}

func tellCatalog(c postgres.CatalogVersion) Catalog {
	return Catalog{Version: c.Version, Source: string(c.Document), SavedAt: optionalTime(c.SavedAt), SavedBy: c.SavedBy}
}

func (s *server) findCatalog(ctx context.Context, version string) (postgres.CatalogVersion, error) {
	found, err := s.Store.Catalog(ctx, version)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return found, notFound("no catalogue of this version was ever loaded")
	case err != nil:
		return found, s.storeFault(ctx, "load the catalogue", err)
	}
	return found, nil
}

func (s *server) catalogInForce(ctx context.Context) (*struct{ Body CatalogInForce }, error) {
	state, err := s.Store.CatalogInForce(ctx)
	if err != nil {
		return nil, s.storeFault(ctx, "load the catalogue in force", err)
	}
	now := s.loadedCatalog()
	told := CatalogInForce{
		Catalog: Catalog{Version: now.Version(), Source: string(now.Source())}, Plans: slices.Sorted(maps.Keys(now.Plans())),
		Before: state.Before, ChangedAt: optionalTime(state.ChangedAt), ChangedBy: state.ChangedBy,
	}
	if saved, err := s.Store.Catalog(ctx, now.Version()); err == nil {
		told.SavedAt, told.SavedBy = optionalTime(saved.SavedAt), saved.SavedBy
	}
	return &struct{ Body CatalogInForce }{told}, nil
}

func (s *server) listCatalogs(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct{ Body CatalogList }, error) {
	found, err := s.Store.CatalogVersions(ctx, in.Limit)
	if err != nil {
		return nil, s.storeFault(ctx, "list the catalogues", err)
	}
	list := CatalogList{Catalogs: make([]Catalog, 0, len(found))}
	for _, c := range found {
		list.Catalogs = append(list.Catalogs, tellCatalog(c))
	}
	return &struct{ Body CatalogList }{list}, nil
}

func (s *server) loadCatalog(ctx context.Context, in *struct{ Body NewCatalog }) (*struct{ Body CatalogChange }, error) {
	next, err := catalog.Parse("catalogue", []byte(in.Body.Source))
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("the catalogue is wrong, and nothing was changed:\n" + err.Error())
	}
	if in.Body.Check {
		now := s.loadedCatalog()
		change := CatalogChange{Version: next.Version(), Before: now.Version(), Changes: notNull(catalog.Diff(now, next))}
		return &struct{ Body CatalogChange }{change}, nil
	}
	person := personOf(ctx, in.Body.Person)
	if err := s.Store.SaveCatalog(ctx, next.Version(), next.Source(), person, s.Now()); err != nil {
		return nil, s.storeFault(ctx, "save the catalogue", err)
	}
	return s.switchCatalog(ctx, "load catalogue", person, next.Version(), next)
}

func (s *server) rollBackCatalog(ctx context.Context, in *struct{ Body Rollback }) (*struct{ Body CatalogChange }, error) {
	version := in.Body.Version
	if version == "" {
		state, err := s.Store.CatalogInForce(ctx)
		switch {
		case err != nil:
			return nil, s.storeFault(ctx, "load the catalogue in force", err)
		case state.Before == "":
			return nil, huma.Error409Conflict("no catalogue was loaded yet; each server has that of its configuration")
		}
		version = state.Before
	}
	found, err := s.findCatalog(ctx, version)
	if err != nil {
		return nil, err
	}
	next, err := catalog.Parse("catalogue", found.Document)
	if err != nil {
		return nil, huma.Error409Conflict("this server cannot read that catalogue any more:\n" + err.Error())
	}
	return s.switchCatalog(ctx, "roll back catalogue", personOf(ctx, in.Body.Person), version, next)
}

// switchCatalog puts a saved catalogue in force.
func (s *server) switchCatalog(ctx context.Context, action, person, version string, next *catalog.Catalog) (*struct{ Body CatalogChange }, error) {
	now := s.loadedCatalog()
	if lost, err := s.plansLost(ctx, now, next); err != nil {
		return nil, s.storeFault(ctx, "look who has the plans that are left out", err)
	} else if len(lost) > 0 {
		return nil, huma.Error409Conflict("subscribers have plans that are not in it, and nothing was changed: " + strings.Join(lost, ", "))
	}
	if err := s.Store.PutCatalogInForce(ctx, version, now.Version(), person, s.Now()); err != nil {
		return nil, s.storeFault(ctx, "put the catalogue in force", err)
	}
	if s.ReloadCatalog != nil {
		if err := s.ReloadCatalog(ctx); err != nil {
			return nil, s.storeFault(ctx, "take up the catalogue that is in force now", err)
		}
	}
	before, after := map[string]string{"version": now.Version()}, map[string]string{"version": version}
	if err := s.operatorActed(ctx, person, action, "", before, after); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	change := CatalogChange{Version: version, Before: now.Version(), Changes: notNull(catalog.Diff(now, next)), Loaded: true}
	return &struct{ Body CatalogChange }{change}, nil
}

// plansLost returns the plans that next leaves out and subscribers have. Their calls could not be charged.
func (s *server) plansLost(ctx context.Context, now, next *catalog.Catalog) (lost []string, err error) {
	kept := next.Plans()
	for _, plan := range slices.Sorted(maps.Keys(now.Plans())) {
		if _, ok := kept[plan]; ok {
			continue
		}
		used, err := s.Store.PlanInUse(ctx, plan)
		if err != nil {
			return nil, err
		}
		if used {
			lost = append(lost, plan)
		}
	}
	return lost, nil
}

// loadedCatalog is the one that new sessions begin with on this server.
func (s *server) loadedCatalog() *catalog.Catalog {
	if s.Catalog == nil {
		return catalog.Demo()
	}
	return s.Catalog()
}
