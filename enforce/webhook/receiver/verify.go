package receiver

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/docket-triage/docket/enforce/webhook"
)

// signed says whether a request is signed under one of the secrets and of this time.
func (r *Receiver) signed(header http.Header, body []byte) bool {
	seconds, err := strconv.ParseInt(header.Get(webhook.HeaderTimestamp), 10, 64)
	if err != nil {
		return false
	}
	age := r.now().Sub(time.Unix(seconds, 0))
	if age > r.tolerance || age < -r.tolerance {
		return false
	}
	return slices.ContainsFunc(r.secrets, func(s webhook.Secret) bool { return s.Signed(header, body) })
}

// replayed says whether the id of a question came before: an old question sent again would tell a
// stranger how an account stands. What acts is kept apart by its key instead, for ever.
func (r *Receiver) replayed(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	// An id is as good as forgotten once its timestamp is refused, on whichever side of now it was.
	if now.Sub(r.pruned) > 2*r.tolerance {
		for id, at := range r.asked {
			if now.Sub(at) > 2*r.tolerance {
				delete(r.asked, id)
			}
		}
		r.pruned = now
	}
	_, before := r.asked[id]
	r.asked[id] = now
	return before
}
