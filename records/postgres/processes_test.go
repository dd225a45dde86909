package postgres_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

// race makes n calls at once, each by the next of the stores.
func race(t *testing.T, stores []*postgres.Store, n int, call func(s *postgres.Store, i int) error) {
	t.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-begin
			errs[i] = call(stores[i%len(stores)], i)
		})
	}
	close(begin)
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// What the suite races within one process holds between several as well.
func TestProcesses(t *testing.T) {
	t.Parallel()
	const calls = 24
	at := postgrestest.Database(t)
	var stores []*postgres.Store
	for range 3 {
		stores = append(stores, open(t, postgres.Options{URL: at, MaxConns: 4}))
	}
	s := stores[0]
	flag := func(i int) casefile.FlagKey { return casefile.FlagKey(fmt.Sprintf("f%d", i)) }

	// One case for one account.
	var mu sync.Mutex
	opened := map[casefile.CaseRef]int{}
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		_, _, err := s.PutFlag(t.Context(), records.FlagReceipt{Flag: flag(i), Account: "a", Platform: "example", At: now})
		return err
	})
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		in, err := s.TakeIn(t.Context(), "example", "a", flag(i), casefile.CaseRef(fmt.Sprintf("CASEX-%05d", i)), now)
		mu.Lock()
		defer mu.Unlock()
		opened[in.Case]++
		return err
	})
	require.Len(t, opened, 1, "all flags are in the one case")

	// Every reviewer gets a case of their own.
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		return work(t.Context(), s, i, 1)
	})
	reserved := map[casefile.CaseRef]int{}
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		ref, ok, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: casefile.Person(fmt.Sprintf("p%d", i)), Now: now, Hold: time.Minute})
		if err == nil && !ok {
			return fmt.Errorf("reviewer %d: the queue is empty", i)
		}
		mu.Lock()
		defer mu.Unlock()
		reserved[ref]++
		return err
	})
	require.Len(t, reserved, calls)

	// The ledger's numbers have no gap and no fork, though every process numbers.
	rows, err := s.Unappended(t.Context(), calls)
	require.NoError(t, err)
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		for {
			seq, _, err := s.OutboxHead(t.Context())
			if err != nil {
				return err
			}
			_, err = s.FixOutbox(t.Context(), rows[i].ID, seq+1, []byte("x"))
			if casefile.ErrorCode(err) != casefile.CodeConflict {
				return err
			}
		}
	})
	rows, err = s.Unappended(t.Context(), calls)
	require.NoError(t, err)
	var numbers []int
	for _, r := range rows {
		numbers = append(numbers, r.Seq)
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		require.Equal(t, i+1, n)
	}

	// A person's roles change as if one change came after the other: each is on the outbox.
	race(t, stores, calls, func(s *postgres.Store, i int) error {
		return s.PutPerson(t.Context(), records.PersonRow{Person: "p", Login: "p", Active: i%2 == 0}, now)
	})
	rows, err = s.Unappended(t.Context(), 10*calls)
	require.NoError(t, err)
	active := ""
	for _, r := range rows[calls:] {
		var body struct {
			Active bool `json:"active"`
		}
		require.NoError(t, json.Unmarshal(r.Body, &body))
		require.NotEqual(t, active, fmt.Sprint(body.Active), "what changes nothing is not told")
		active = fmt.Sprint(body.Active)
	}
	p, err := s.Person(t.Context(), "p")
	require.NoError(t, err)
	require.Equal(t, active, fmt.Sprint(p.Active))
}
