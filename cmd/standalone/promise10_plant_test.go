package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	temporal "go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/casefile"
)

// plant puts one word in each kind of place, on the way that a fault of ours would take, and requires that
// the hunt finds it there and nowhere before. The word is the verb's key: nothing else of the run needs it.
func (h *hunt) plant(t *testing.T) {
	mark := "verb's key"
	word := h.marks[mark]
	file := func(parts ...string) func() {
		path := h.folder.path(parts...)
		return func() {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte("\x00planted "+word), 0o600))
			t.Cleanup(func() { require.NoError(t, os.Remove(path)) })
		}
	}
	start := func(id string, args ...any) func() {
		return func() {
			_, err := h.client.ExecuteWorkflow(t.Context(), temporal.StartWorkflowOptions{ID: id, TaskQueue: "nobody-polls-this"}, "nothing", args...)
			require.NoError(t, err)
			t.Cleanup(func() {
				require.NoError(t, h.client.TerminateWorkflow(context.WithoutCancel(t.Context()), id, "", "end of a test"))
			})
		}
	}
	for _, p := range []struct {
		what, in string // in is the beginning of the name of the place
		put      func()
	}{
		{"a log line", "log", func() { h.log.Write([]byte(`{"msg":"planted","error":"` + word + `"}`)) }},
		{"a metric's label", "metrics", func() {
			c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planted_total"}, []string{"queue"})
			c.WithLabelValues(word).Inc()
			require.NoError(t, h.process.Metrics.Register(c))
			t.Cleanup(func() { h.process.Metrics.Unregister(c) })
		}},
		{"a trace's attribute", "traces", func() {
			_, span := otel.Tracer("planted").Start(t.Context(), "call")
			span.SetAttributes(attribute.String("handle", word))
			span.End()
		}},
		{"a telling", "tellings", func() { h.told.mu.Lock(); h.told.bodies = append(h.told.bodies, word); h.told.mu.Unlock() }},
		{"a mail", "mails", func() { h.mails.Write([]byte("Subject: " + word)) }},
		{"an error's answer", "answer: ", func() { h.keep("planted", []byte(fmt.Sprintf("%d %s", http.StatusForbidden, word))) }},
		{"a row of records", "records.sqlite", func() {
			_, err := h.records.SetMetaIfAbsent(t.Context(), "planted", word)
			require.NoError(t, err)
		}},
		{"the ledger", filepath.Join("ledger", "tile"), file("ledger", "tile", "planted")},
		{"the sealed store in clear", "evidence", file("evidence", "planted")},
		{"the detector's snapshot", "detector.snapshot", file("detector.snapshot")},
		{"the list of rejects", "rejects.ndjson", file("rejects.ndjson")},
		{"a workflow's id", "temporal", start(casefile.NewID() + word)},
		{"a workflow's payload, sealed as it is", "workflow planted", start("planted", map[string]string{"handle": word})},
	} {
		t.Run(p.what, func(t *testing.T) {
			require.NotContains(t, h.where(p.in), mark)
			p.put()
			require.Contains(t, h.where(p.in), mark)
		})
	}
}

// where names the marks that stand in the places whose names begin so.
func (h *hunt) where(begins string) []string {
	in := map[string][]byte{}
	for place, data := range h.places() {
		if len(place) >= len(begins) && place[:len(begins)] == begins {
			in[place] = data
		}
	}
	return h.found(in)
}
