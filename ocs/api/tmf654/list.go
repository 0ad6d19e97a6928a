package tmf654

import (
	"net/http"
)

// A source is where the resources of a list come from, in an order that does not change.
type source struct {
	count func() (int64, error)
	page  func(offset, limit int) ([]resource, error)
}

// nothing is the source of a list that can hold nothing.
func nothing() source {
	return source{
		count: func() (int64, error) { return 0, nil },
		page:  func(int, int) ([]resource, error) { return nil, nil },
	}
}

// of is the source of resources that are there already.
func of(all []resource) source {
	return source{
		count: func() (int64, error) { return int64(len(all)), nil },
		page: func(offset, limit int) ([]resource, error) {
			from := min(offset, len(all))
			return all[from:min(len(all), from+limit)], nil
		},
	}
}

// list answers with the part of s that q asks for. Where q has conditions that the database does not know, everything is
// looked at, up to a bound.
func (h *handler) list(q query, s source) (reply, error) {
	if len(q.conditions) > 0 {
		all, err := s.page(0, maxScan+1)
		if err != nil {
			return reply{}, err
		}
		if len(all) > maxScan {
			return reply{}, newFault(http.StatusBadRequest, codeTooMany,
				"more than %d would have to be looked at; name a subscriber by logicalResource.id or a time by requestedDate", maxScan)
		}
		var matching []resource
		for _, r := range all {
			if q.matches(r) {
				matching = append(matching, r)
			}
		}
		s = of(matching)
	}
	total, err := s.count()
	if err != nil {
		return reply{}, err
	}
	var page []resource
	if q.limit > 0 {
		if page, err = s.page(q.offset, q.limit); err != nil {
			return reply{}, err
		}
	}
	told := make([]resource, len(page)) // never null
	for i, r := range page {
		told[i] = q.choose(r)
	}
	status := http.StatusOK
	if h.Partial && int64(len(told)) < total {
		status = http.StatusPartialContent
	}
	return reply{status: status, body: told, list: true, count: len(told), total: total}, nil
}

// one answers with r, or the part of it that is asked for.
func one(c *call, of schema, r resource) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), of)
	if fault != nil {
		return reply{}, fault
	}
	if len(q.conditions) > 0 {
		return reply{}, newFault(http.StatusBadRequest, codeFormat, "one resource is not filtered")
	}
	return reply{status: http.StatusOK, body: q.choose(r)}, nil
}
