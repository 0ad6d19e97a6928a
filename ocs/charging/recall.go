package charging

import (
	"context"
	"sync"

	"github.com/gyro-ocs/gyro/ocs"
)

// recall returns rules that know every catalogue which the sessions of a batch began with. Nearly always rules do already:
// only a session that is older than the catalogue in force and than this server asks for more, once for each version.
func (e *Engine) recall(ctx context.Context, rules *ocs.Rules, a *accounts) *ocs.Rules {
	if e.config.Recall == nil {
		return rules
	}
	for missing := a.unknownCatalog(rules, &e.lost); missing != ""; missing = a.unknownCatalog(rules, &e.lost) {
		err := e.config.Recall(ctx, missing)
		if rules = e.config.Rules(); err == nil && rules.Versions[missing] != nil {
			continue
		}
		e.lost.Store(missing, true)
		e.config.Logger.Error("a catalogue that sessions began with cannot be read; they go on with what is known of their tariffs",
			"catalog", missing, "error", err)
	}
	return rules
}

// unknownCatalog returns a catalogue of an open session that rules do not know, or nothing. One that was lost is not asked for
// again before the server is started again.
func (a *accounts) unknownCatalog(rules *ocs.Rules, lost *sync.Map) string {
	for _, owner := range a.of {
		for _, s := range owner.sessions {
			if s.State != ocs.Open {
				continue
			}
			for i := range s.Quotas {
				c := s.Quotas[i].Catalog
				if c == rules.Catalog || c == "" {
					continue
				}
				if _, known := rules.Versions[c]; known {
					continue
				}
				if _, given := lost.Load(c); !given {
					return c
				}
			}
		}
	}
	return ""
}
