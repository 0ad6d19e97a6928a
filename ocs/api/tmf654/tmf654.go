package tmf654

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// The paths that are served.
const (
	Base      = "/tmf-api/prepayBalanceManagement/v4"
	QuotePath = "/ext/v1/transferQuote"
)

// mediaType is literally that of the description.
const mediaType = "application/json;charset=utf-8"

// Config is what the interface works with. All but the switches is needed.
type Config struct {
	Store    *postgres.Store
	Transfer func(context.Context, charging.Transfer) (transfer.Outcome, error)
	Actor    func(*http.Request) (name string, status int) // who asks; status: why that is refused, 401, 403 or 503, else 0
	Identity func(string) (ocs.Identity, error)            // reads an MSISDN, or another name with its prefix
	Now      func() time.Time
	Logger   *slog.Logger

	Strict  bool // bucket ids may not be absent
	Partial bool // part of a list is told with 206, as TMF630 says and the description does not
}

// The bounds of a request.
const (
	requestTimeout = 15 * time.Second
	maxBody        = 64 << 10
)

type handler struct {
	Config
	routes map[string]route
}

// A route is what can be done with one kind of resource.
type route struct {
	list                       func(*call) (reply, error)
	get, create, patch, remove func(*call) (reply, error)
}

// A call is one request, whose sender is known.
type call struct {
	ctx   context.Context
	r     *http.Request
	actor string
	id    string // last part of the path; empty: the whole collection
	now   time.Time
}

// A reply is an answer that is no Fault.
type reply struct {
	status   int
	location string
	body     any // nil: none
	count    int // of a list that is told, and of all that there are
	total    int64
	list     bool
}

// New returns the handler of everything below [Base], and of [QuotePath].
func New(c Config) http.Handler {
	h := &handler{Config: c}
	h.routes = map[string]route{
		"bucket":               {list: h.listBuckets, get: h.getBucket},
		"accumulatedBalance":   {list: h.listAccumulated, get: h.getAccumulated},
		"topupBalance":         h.actions(topup),
		"adjustBalance":        h.actions(adjust),
		"reserveBalance":       h.actions(reserve),
		"transferBalance":      {list: h.listTransfers, get: h.getTransfer, create: h.createTransfer, patch: h.patchTransfer, remove: h.removeTransfer},
		"balanceActionHistory": {list: h.listHistory, get: h.getHistory},
		"hub":                  {create: h.subscribe, remove: h.unsubscribe},
	}
	return h
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	answer, err := h.serve(ctx, w, r)
	if err != nil {
		h.write(w, h.fault(ctx, err))
		return
	}
	if answer.location != "" {
		w.Header().Set("Location", answer.location)
	}
	if answer.list {
		w.Header().Set("X-Result-Count", strconv.Itoa(answer.count))
		w.Header().Set("X-Total-Count", strconv.FormatInt(answer.total, 10))
	}
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	writeJSON(w, answer.status, answer.body)
}

func (h *handler) write(w http.ResponseWriter, f *Fault) {
	if f.HTTP == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gyro"`)
	}
	writeJSON(w, f.HTTP, f)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(encoded(body)) // the client may be gone
}

// encoded writes numbers as they are, and no HTML escapes.
func encoded(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("tmf654: " + err.Error()) // what is told is made here
	}
	return bytes.TrimSpace(b.Bytes())
}

func (h *handler) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) (reply, error) {
	actor, status := h.Actor(r.WithContext(ctx))
	switch status {
	case 0:
	case http.StatusUnauthorized:
		return reply{}, newFault(status, codeUnauthorised, "a bearer token is needed")
	case http.StatusForbidden:
		return reply{}, newFault(status, codeUnauthorised, "the role of this key may not do this")
	default:
		return reply{}, newFault(http.StatusInternalServerError, codeInternal, "the key cannot be looked up now")
	}
	c := &call{ctx: ctx, r: r, actor: actor, now: h.Now().Truncate(time.Microsecond)} // as times are stored
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.URL.Path == QuotePath {
		return h.method(w, c, map[string]func(*call) (reply, error){http.MethodPost: h.quote})
	}
	path, below := strings.CutPrefix(r.URL.Path, Base+"/")
	name, id, one := strings.Cut(path, "/")
	route, known := h.routes[name]
	if !below || !known || one && (id == "" || strings.Contains(id, "/")) {
		return reply{}, newFault(http.StatusNotFound, codeIdentifier, "there is no such path below %s", Base)
	}
	if len(id) > 128 {
		return reply{}, unknown(name)
	}
	c.id = id
	if one {
		return h.method(w, c, map[string]func(*call) (reply, error){
			http.MethodGet: route.get, http.MethodPatch: route.patch, http.MethodDelete: route.remove,
		})
	}
	return h.method(w, c, map[string]func(*call) (reply, error){http.MethodGet: route.list, http.MethodPost: route.create})
}

// method calls what the method of c stands for.
func (h *handler) method(w http.ResponseWriter, c *call, do map[string]func(*call) (reply, error)) (reply, error) {
	wanted := c.r.Method
	if wanted == http.MethodHead {
		wanted = http.MethodGet
	}
	if f := do[wanted]; f != nil {
		return f(c)
	}
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		if do[m] != nil {
			allowed = append(allowed, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return reply{}, newFault(http.StatusMethodNotAllowed, codeMethod, "this path has no method %s", c.r.Method)
}

// body reads the body, which must be one object.
func (c *call) body() (map[string]any, error) {
	if t := c.r.Header.Get("Content-Type"); t != "" && !strings.HasPrefix(t, "application/json") && !strings.HasPrefix(t, "application/merge-patch+json") {
		return nil, newFault(http.StatusBadRequest, codeFormat, "the body must be %s", mediaType)
	}
	d := json.NewDecoder(c.r.Body)
	d.UseNumber() // amounts are decimals
	var object map[string]any
	err := d.Decode(&object)
	if err == nil && object != nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return object, nil
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, newFault(http.StatusBadRequest, codeFormat, "the body is longer than %d octets", maxBody)
	}
	return nil, newFault(http.StatusBadRequest, codeFormat, "the body must be one JSON object")
}

// text returns the text at a path of object, whose steps are names; empty where there is none. Of a list, the first counts.
func text(object any, path ...string) string {
	for _, name := range path {
		if list, ok := object.([]any); ok && len(list) > 0 {
			object = list[0]
		}
		m, ok := object.(map[string]any)
		if !ok {
			return ""
		}
		object = m[name]
	}
	s, _ := object.(string)
	return s
}

// object returns the object of a name; nil where there is none.
func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}
