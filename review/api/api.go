// Package api puts the desk and the flag door on HTTP under /v1, with an OpenAPI description made
// from the Go types, problem documents for errors (docs/formats/api.md), and every route with its
// permission in one table.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
)

// Version is the version of the API in its OpenAPI description.
const Version = "1.0.0"

// Authenticator recognises the bearer of a token: access.Access.
type Authenticator interface {
	// Authenticate gives access.ErrUnauthenticated for a token that opens nothing.
	Authenticate(ctx context.Context, bearer string) (access.Who, error)
}

// Options are what the API is made of. All but Metrics are required.
type Options struct {
	Desk   *review.Desk
	Door   *intake.Door
	Access Authenticator
	Log    *slog.Logger
	// Metrics takes the API's figures; nil keeps them to itself.
	Metrics prometheus.Registerer
}

// API is the handler of everything under /v1.
type API struct {
	o       Options
	mux     *http.ServeMux
	huma    huma.API
	spec    []byte
	metrics metrics
}

// New builds the handler from the table of routes.
func New(o Options) (*API, error) {
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	a := &API{o: o, mux: http.NewServeMux(), metrics: m}
	a.huma = humago.New(a.mux, config())
	for _, r := range Routes() {
		r.register(a, r.operation(a))
		r.document(a)
	}
	a.spec, err = json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI description: %w", err)
	}
	a.mux.HandleFunc("/", a.noRoute)
	return a, nil
}

// Spec is the OpenAPI description in JSON.
func (a *API) Spec() []byte { return a.spec }

// ServeHTTP answers one request and writes its one log line.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.observe(w, r) }

// config describes the API. No route of huma's own is kept: it would stand outside the table.
func config() huma.Config {
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Docket", Version: Version,
				Description: "Flags in, cases out: queues, claims, opinions, proofs. Every request is a person's or a service's " +
					"(bearer token); every look at a case and every refusal is on record.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "An API token."},
				},
			},
			Security: []map[string][]string{{"bearer": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	}
}

// writeJSON escapes <, > and & too, so that no answer can be taken for markup.
func writeJSON(w io.Writer, v any) error {
	err := json.NewEncoder(w).Encode(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
