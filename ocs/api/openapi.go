package api

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// openAPIPath is where the description of all is, with .json or .yaml behind it.
const openAPIPath = "/openapi"

// describeOthers adds to the description what is served beside customer care, so that it names every route.
func (s *server) describeOthers(care huma.API) {
	document := care.OpenAPI()
	add := func(method, path, id, summary string, open bool, parameters ...string) {
		op := &huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Responses: map[string]*huma.Response{
			"default": {Description: "as the documentation of the interface says"},
		}}
		if open {
			op.Security = []map[string][]string{{}}
		}
		for _, name := range parameters {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
		document.AddOperation(op)
	}
	add(http.MethodGet, "/healthz", "healthz", "Tell that the process lives", true)
	add(http.MethodGet, "/readyz", "readyz", "Tell whether a request can be charged now", true)
	add(http.MethodGet, "/openapi.json", "openapi-json", "This description", true)
	add(http.MethodGet, "/openapi.yaml", "openapi-yaml", "This description", true)
	add(http.MethodGet, "/docs", "docs", "This description, to be read in a browser", true)
	if s.Metrics != nil {
		add(http.MethodGet, "/metrics", "metrics", "Metrics for Prometheus", true)
	}
	if len(s.USSD.Gateways) > 0 {
		add(http.MethodPost, "/ussd/{gateway}", "ussd-gateway", "Take what a USSD gateway says, in the dialect that it is configured for; it has a token of its own", true, "gateway")
	}
	if s.Transfer == nil {
		return
	}
	const tmf = "TM Forum TMF654 Prepay Balance Management v4.0.0, "
	add(http.MethodGet, tmf654.Base+"/{resource}", "tmf654-list", tmf+"list", false, "resource")
	add(http.MethodPost, tmf654.Base+"/{resource}", "tmf654-create", tmf+"create", false, "resource")
	add(http.MethodGet, tmf654.Base+"/{resource}/{id}", "tmf654-get", tmf+"retrieve", false, "resource", "id")
	add(http.MethodPatch, tmf654.Base+"/{resource}/{id}", "tmf654-patch", tmf+"update", false, "resource", "id")
	add(http.MethodDelete, tmf654.Base+"/{resource}/{id}", "tmf654-delete", tmf+"delete", false, "resource", "id")
	add(http.MethodPost, tmf654.QuotePath, "tmf654-quote", "Price a transfer, in the words of TMF654", false)
}

// handleDocs serves a page that is made here and fetches nothing.
func (s *server) handleDocs(mux *routes, care huma.API) {
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		if err := docsPage.Execute(w, docsOf(care.OpenAPI())); err != nil {
			s.Logger.DebugContext(r.Context(), "the page of documentation was not sent whole", "error", err)
		}
	})
}

type docsData struct {
	Title, Version, Description string
	Operations                  []docsOperation
	Schemas                     []docsSchema
}

type docsOperation struct {
	ID, Method, Path, Summary, Description, Roles string
	Parameters                                    []docsField
	Body                                          string // name of a schema
	Answers                                       []docsAnswer
}

type docsAnswer struct{ Status, Description, Schema string }

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, In, Type, Schema, Doc string
	Required                    bool
}

func docsOf(document *huma.OpenAPI) docsData {
	d := docsData{Title: document.Info.Title, Version: document.Info.Version, Description: document.Info.Description}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				d.Operations = append(d.Operations, docsOfOperation(op, path))
			}
		}
	}
	schemas := document.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		d.Schemas = append(d.Schemas, docsSchema{name, docsFields(schemas[name])})
	}
	return d
}

func docsOfOperation(op *huma.Operation, path string) docsOperation {
	told := docsOperation{ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, Description: op.Description, Roles: "whoever bears a key that may"}
	switch may := rightsOf(op.Method, path, func(string) string { return "" }); {
	case may == anybody:
		told.Roles = "anybody"
	case may != nobody:
		told.Roles = may.String()
	}
	for _, p := range op.Parameters {
		kind, schema := docsType(p.Schema)
		doc := p.Description
		if doc == "" && p.Schema != nil {
			doc = p.Schema.Description
		}
		told.Parameters = append(told.Parameters, docsField{Name: p.Name, In: p.In, Type: kind, Schema: schema, Doc: doc, Required: p.Required})
	}
	if op.RequestBody != nil {
		for _, content := range op.RequestBody.Content {
			_, told.Body = docsType(content.Schema)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := docsAnswer{Status: status, Description: op.Responses[status].Description}
		for _, content := range op.Responses[status].Content {
			_, answer.Schema = docsType(content.Schema)
		}
		told.Answers = append(told.Answers, answer)
	}
	return told
}

func docsFields(schema *huma.Schema) []docsField {
	var fields []docsField
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		kind, of := docsType(property)
		fields = append(fields, docsField{
			Name: name, Type: kind, Schema: of, Doc: property.Description, Required: slices.Contains(schema.Required, name),
		})
	}
	return fields
}

// docsType tells a type in words, and the schema that it is of.
func docsType(schema *huma.Schema) (kind, of string) {
	switch {
	case schema == nil:
		return "", ""
	case schema.Ref != "":
		of = schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
		return of, of
	case schema.Type == huma.TypeArray:
		kind, of = docsType(schema.Items)
		return "list of " + kind, of
	}
	if kind = schema.Type; schema.Format != "" {
		kind += ", " + schema.Format
	}
	if len(schema.Enum) > 0 {
		words := make([]string, 0, len(schema.Enum))
		for _, value := range schema.Enum {
			if word, ok := value.(string); ok {
				words = append(words, word)
			}
		}
		kind += ": " + strings.Join(words, ", ")
	}
	return kind, ""
}

var docsPage = template.Must(template.New("docs").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title><style>
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;color:#222;background:#fff}
code,.m{font-family:ui-monospace,monospace}summary{cursor:pointer;padding:.2rem 0}.m{display:inline-block;width:4.5rem;font-weight:600}
details{border-bottom:1px solid #ddd}table{border-collapse:collapse;margin:.5rem 0 1rem}td,th{text-align:left;vertical-align:top;padding:.15rem .8rem .15rem 0}
h2{margin-top:2rem}.s{color:#666}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}details{border-color:#444}a{color:#8bf}.s{color:#999}}
</style></head><body><h1>{{.Title}}</h1><p>{{.Description}} Version {{.Version}}. For machines: <a href="/openapi.json">openapi.json</a>, OpenAPI 3.1.</p>
<p>Who asks bears a key: <code>Authorization: Bearer gyro_…</code> (<code>gyro key create</code>). Faults are problem details, RFC 9457. Lists have <code>limit</code> and <code>after</code>; what moves value has an <code>id</code> under which it is done once.</p>
<h2>Operations</h2>
{{range .Operations}}<details id="{{.ID}}"><summary><span class="m">{{.Method}}</span> <code>{{.Path}}</code> <span class="s">{{.Summary}}</span></summary>
{{with .Description}}<p>{{.}}</p>{{end}}<p>For: {{.Roles}}.{{with .Body}} Body: <a href="#schema-{{.}}">{{.}}</a>.{{end}}</p>
{{if .Parameters}}<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>{{range .Parameters}}<tr><td><code>{{.Name}}</code>{{if .Required}} *{{end}}</td><td>{{.In}}</td><td>{{.Type}}</td><td>{{.Doc}}</td></tr>{{end}}</table>{{end}}
<table>{{range .Answers}}<tr><td>{{.Status}}</td><td>{{.Description}}</td><td>{{with .Schema}}<a href="#schema-{{.}}">{{.}}</a>{{end}}</td></tr>{{end}}</table></details>
{{end}}<h2>Schemas</h2>
{{range .Schemas}}<details id="schema-{{.Name}}"><summary><code>{{.Name}}</code></summary><table>{{range .Fields}}<tr><td><code>{{.Name}}</code>{{if .Required}} *{{end}}</td><td>{{if .Schema}}<a href="#schema-{{.Schema}}">{{.Type}}</a>{{else}}{{.Type}}{{end}}</td><td>{{.Doc}}</td></tr>{{end}}</table></details>
{{end}}</body></html>
`))
