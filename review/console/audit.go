package console

import (
	"net/http"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// pageOfWatch is how many rows of a list of looks or refusals a page shows.
const pageOfWatch = 100

// watchList is a stretch of looks or refusals, newest first.
type watchList[R any] struct {
	Rows  []R
	Last  int64 // the newest number of all; 0 when there is none
	Older int64 // the number to end the next stretch with; 0 on the oldest
}

type auditPage struct {
	Views    watchList[review.ViewRow]
	Refusals watchList[review.RefusalRow]
}

// audit lists who looked at which case, and what was refused, newest first.
func (v *visit) audit() error {
	var p auditPage
	var err error
	p.Views, err = stretch(int64(number(v.r.URL.Query(), "views")), func(after int64, limit int) ([]review.ViewRow, error) {
		rows, _, err := v.desk().Views(v.ctx(), v.who, "", after, limit)
		return rows, err
	}, func(r review.ViewRow) int64 { return r.Seq })
	if err != nil {
		return err
	}
	p.Refusals, err = stretch(int64(number(v.r.URL.Query(), "refusals")), func(after int64, limit int) ([]review.RefusalRow, error) {
		rows, _, err := v.desk().Refusals(v.ctx(), v.who, after, limit)
		return rows, err
	}, func(r review.RefusalRow) int64 { return r.Seq })
	if err != nil {
		return err
	}
	var people []casefile.Person
	for _, r := range p.Views.Rows {
		people = append(people, r.Person)
	}
	for _, r := range p.Refusals.Rows {
		people = append(people, r.Person)
	}
	v.know(people...)
	return v.render(http.StatusOK, "audit", "Looks and refusals", p)
}

// stretch reads the rows up to a number, the newest for 0. Rows can only be asked for in order
// after a number, so the newest is found by halving.
func stretch[R any](upTo int64, ask func(after int64, limit int) ([]R, error), seq func(R) int64) (watchList[R], error) {
	last, err := lastSeq(ask)
	if err != nil {
		return watchList[R]{}, err
	}
	out := watchList[R]{Last: last}
	if upTo <= 0 || upTo > last {
		upTo = last
	}
	from := max(upTo-pageOfWatch, 0)
	rows, err := ask(from, pageOfWatch)
	if err != nil {
		return watchList[R]{}, err
	}
	for _, r := range slices.Backward(rows) {
		if seq(r) <= upTo {
			out.Rows = append(out.Rows, r)
		}
	}
	out.Older = from
	return out, nil
}

// lastSeq finds the highest number in use, in as many small questions as the number has bits, twice.
func lastSeq[R any](ask func(after int64, limit int) ([]R, error)) (int64, error) {
	more := func(after int64) (bool, error) {
		rows, err := ask(after, 1)
		return len(rows) > 0, err
	}
	yes, err := more(0)
	if err != nil || !yes {
		return 0, err
	}
	low, high := int64(0), int64(1)
	for {
		yes, err = more(high)
		if err != nil {
			return 0, err
		}
		if !yes {
			break
		}
		low, high = high, high*2
	}
	for low+1 < high {
		middle := low + (high-low)/2
		yes, err = more(middle)
		if err != nil {
			return 0, err
		}
		if yes {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}
