package recordstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// benchmarkPassedOver measures the next case behind 1,000 each that are snoozed, handed over to somebody
// else, wait for a lead, and were judged by whoever asks.
func benchmarkPassedOver(b *testing.B, s records.Store) {
	const each = 1000
	page, _, err := s.QueueCases(b.Context(), "q", "", 4*each)
	require.NoError(b, err)
	for i, c := range page {
		p := records.Projection{Case: c, Now: start}
		p.Case.Revision++
		switch i % 4 {
		case 0:
			p.Case.NotBefore = ptr(start.Add(1e6 * time.Hour))
		case 1:
			p.Case.AssignedTo = "p-two"
		case 2:
			p.Case.Stage = casefile.StageAdjudication
		case 3:
			p.Parts = []records.PartRow{{Case: c.Ref, Person: "p-one", Part: records.PartOpinion, At: start}}
		}
		require.NoError(b, s.Project(b.Context(), p))
	}
	b.Run("ReserveNextPassing4000", func(b *testing.B) {
		percentiles(b, func() {
			ref, ok, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-one", Now: start.Add(time.Hour), Hold: 5 * time.Second})
			require.NoError(b, err)
			require.True(b, ok)
			require.NoError(b, s.FreeReservation(b.Context(), ref, "p-one"))
		})
	})
}
