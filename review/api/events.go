package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-triage/docket/review"
)

const typeEvents = "text/event-stream"

// eventsAlive is how often a silent stream sends a comment, so that both ends notice a dead one.
const eventsAlive = 15 * time.Second

// events streams changes of cases until the caller goes away. They carry codes only.
func (a *API) events(c *call, w http.ResponseWriter, r *http.Request) error {
	changes, err := a.o.Desk.Watch(r.Context(), c.who)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", typeEvents)
	w.WriteHeader(http.StatusOK)
	alive := time.NewTicker(eventsAlive)
	defer alive.Stop()
	text := ": watching\n\n"
	for {
		err = send(w, control, text)
		if err != nil {
			return nil // the caller went away
		}
		select {
		case change, ok := <-changes:
			if !ok {
				return nil
			}
			data, err := json.Marshal(change)
			if err != nil {
				c.err = fmt.Errorf("encode change: %w", err)
				return nil
			}
			text = "event: change\ndata: " + string(data) + "\n\n"
		case <-alive.C:
			text = ": alive\n\n"
		}
	}
}

func send(w http.ResponseWriter, control *http.ResponseController, text string) error {
	err := control.SetWriteDeadline(time.Now().Add(lineTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	_, err = w.Write([]byte(text))
	if err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	err = control.Flush()
	if err != nil {
		return fmt.Errorf("flush event: %w", err)
	}
	return nil
}

func (a *API) openapi(_ *call, w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(a.spec) // the caller is gone: nobody is left to tell
	return nil
}

func describeEvents(a *API, op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Events named `change`, each with a JSON object as its data. They are hints and may skip; one without a case means: look at everything.",
		Content:     map[string]*huma.MediaType{typeEvents: {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(review.Change{}), true, "")}},
	}}
	a.describeProblem(op)
}

func describeSpec(a *API, op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {Description: "OpenAPI 3.1", Content: map[string]*huma.MediaType{"application/openapi+json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}
	a.describeProblem(op)
}
