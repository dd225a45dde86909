// Package recordstest holds the suite that every adapter of package records answers.
package recordstest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// part is one test of the suite. Those that keep a promise of the design carry its name.
type part struct {
	name string
	run  func(t *testing.T, b bench)
}

var parts = []part{
	{"Meta/FirstValueStands", metaFirstValueStands},
	{"Meta/RacingValues", metaRacingValues},
	{"Meta/Ping", metaPing},
	{"Meta/EndedContext", metaEndedContext},
	{"Meta/OddText", metaOddText},
	{"Accounts/KeyRace", accountKeyRace},
	{"Accounts/Key", accountKey},
	{"Accounts/Profile", accountProfile},
	{"Accounts/Strikes", accountStrikes},
	{"Accounts/LookAlikes", accountLookAlikes},
	{"Flags/TestPromise02Put", promise02Put},
	{"Flags/Pending", flagPending},
	{"Flags/Stats", flagStats},
	{"Flags/Sweeps", flagSweeps},
	{"TakeIn/Opens", takeInOpens},
	{"TakeIn/Merges", takeInMerges},
	{"TakeIn/TestPromise02AfterClosing", promise02AfterClosing},
	{"TakeIn/Dropped", takeInDropped},
	{"TakeIn/TakenNumber", takeInTakenNumber},
	{"TakeIn/Heads", takeInHeads},
	{"TakeIn/Later", takeInLater},
	{"TakeIn/TestPromise02SameAgain", promise02SameAgain},
	{"TakeIn/TestPromise03EveryOpenState", promise03EveryOpenState},
	{"TakeIn/TestPromise03OneOpenCase", promise03OneOpenCase},
	{"TakeIn/TestPromise03RacingAccounts", promise03RacingAccounts},
	{"TakeIn/TestPromise03RacingClose", promise03RacingClose},
	{"Project/RoundTrip", projectRoundTrip},
	{"Project/OlderChangesNothing", projectOlderChangesNothing},
	{"Project/WholeOrNothing", projectWholeOrNothing},
	{"Project/Refused", projectRefused},
	{"Project/Flags", projectFlags},
	{"Project/Words", projectOpinionsAndComments},
	{"Project/Accounts", projectAccounts},
	{"Project/RacingRevisions", projectRacingRevisions},
	{"Cases/List", caseList},
	{"Cases/Cursors", caseCursors},
	{"Cases/Claimed", caseClaimed},
	{"Cases/HandedTo", caseHandedTo},
	{"Queue/Order", queueOrder},
	{"Queue/Counts", queueCounts},
	{"Queue/Reserve", queueReserve},
	{"Queue/ReservationStands", queueReservationStands},
	{"Queue/TestPromise03FiftyCallers", promise03FiftyCallers},
	{"Queue/Personal", queuePersonal},
	{"Queue/Threat", queueThreat},
	{"Queue/TestPromise03RacingThreats", promise03RacingThreats},
	{"Queue/Rank", queueRank},
	{"Queue/CountsHandled", queueCountsHandled},
	{"Handling/Blind", handlingBlind},
	{"Handling/Parts", handlingParts},
	{"Handling/Referrals", handlingReferrals},
	{"Handling/Notes", handlingNotes},
	{"Handling/Whole", handlingWhole},
	{"Handling/Queued", handlingQueued},
	{"Handling/DecidedItems", handlingDecidedItems},
	{"Handling/Handles", handlingHandles},
	{"Handling/OpenCases", handlingOpenCases},
	{"Decisions/Project", decisionProject},
	{"Decisions/Unfinished", decisionUnfinished},
	{"Decisions/Advance", decisionAdvance},
	{"Decisions/NeverBack", decisionNeverBack},
	{"Decisions/Racing", decisionRacing},
	{"Decisions/Ends", decisionEnds},
	{"Acts/Plan", actPlan},
	{"Acts/TestPromise07Begin", promise07Begin},
	{"Acts/TestPromise07RacingBegin", promise07RacingBegin},
	{"Acts/FirstOutcomeStands", actFirstOutcomeStands},
	{"Acts/Pending", actPending},
	{"Acts/Attempts", actAttempts},
	{"Acts/TestPromise07Settle", promise07Settle},
	{"Acts/OfAccount", actsOfAccount},
	{"Appeals/Put", appealPut},
	{"Appeals/OnceForEver", appealOnceForEver},
	{"Appeals/Racing", appealRacing},
	{"Appeals/Project", appealProject},
	{"Appeals/End", appealEnd},
	{"Appeals/List", appealList},
	{"Appeals/Notice", appealNotice},
	{"Appeals/Strike", appealStrike},
	{"Appeals/Handle", appealHandle},
	{"Switches/Set", switchSet},
	{"Switches/TestPromise06Paused", promise06Paused},
	{"Switches/TestPromise06RacingPause", promise06RacingPause},
	{"Breakers/Count", breakerCount},
	{"Breakers/Share", breakerShare},
	{"Breakers/TestPromise06RacingBreaker", promise06RacingBreaker},
	{"Breakers/RacingAssessed", breakerRacingAssessed},
	{"Erasures/Holds", holds},
	{"Erasures/TestPromise09Bars", promise09Bars},
	{"Erasures/TestPromise09Timed", promise09Timed},
	{"Erasures/TestPromise09Destroy", promise09Destroy},
	{"Erasures/TestPromise09Stopped", promise09Stopped},
	{"Erasures/TestPromise09Again", promise09Again},
	{"Erasures/TestPromise09RacingAppeal", promise09RacingAppeal},
	{"Tellings/Put", tellingPut},
	{"Tellings/Take", tellingTake},
	{"Tellings/Order", tellingOrder},
	{"Tellings/Final", tellingFinal},
	{"Tellings/Reroute", tellingReroute},
	{"Tellings/Waiting", tellingWaiting},
	{"Tellings/Racing", tellingRacing},
	{"Notices/Put", noticePut},
	{"Notices/State", noticeState},
	{"Notices/Delivery", noticeDelivery},
	{"People/Put", personPut},
	{"People/Order", personOrder},
	{"People/Tokens", personTokens},
	{"People/Logins", personLogins},
	{"Guarded/Active", guardedActive},
	{"Guarded/Tokens", guardedTokens},
	{"Guarded/Glass", guardedGlass},
	{"Guarded/RacingReview", guardedRacingReview},
	{"Watch/TestPromise12Digest", promise12Digest},
	{"Watch/Racing", watchRacing},
	{"Watch/Repeats", watchRepeats},
	{"LedgerOutbox/Rows", ledgerOutboxRows},
	{"LedgerOutbox/Repeats", ledgerOutboxRepeats},
	{"LedgerOutbox/Numbers", ledgerOutboxNumbers},
	{"IndexOutbox/Entries", indexOutboxEntries},
	{"IndexOutbox/Requeue", indexOutboxRequeue},
	{"Feed/Tells", feedTells},
	{"Feed/TellsHandling", feedTellsHandling},
	{"Feed/NothingOnFailure", feedNothingOnFailure},
	{"Feed/SlowReader", feedSlowReader},
	{"Feed/Ends", feedEnds},
}

// Exercise runs the whole suite. open makes an empty store, which the suite does not close: open
// arranges for that with t.Cleanup. Every test gets a store of its own and they run in parallel.
func Exercise(t *testing.T, open func(t *testing.T) records.Store) {
	run(t, "", open)
}

// Promise runs the parts of the suite that keep one promise of the design, by its number.
func Promise(t *testing.T, number int, open func(t *testing.T) records.Store) {
	run(t, fmt.Sprintf("TestPromise%02d", number), open)
}

func run(t *testing.T, mark string, open func(t *testing.T) records.Store) {
	n := 0
	for _, p := range parts {
		if !strings.Contains(p.name, mark) {
			continue
		}
		n++
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t, bench{Store: open(t), t: t})
		})
	}
	require.NotZero(t, n, "the suite has no part for %s", mark)
}

// bench is a store with the helpers of one test.
type bench struct {
	records.Store
	t *testing.T
}

func (b bench) ctx() context.Context { return b.t.Context() }

func (b bench) code(want casefile.Code, err error) {
	b.t.Helper()
	require.Error(b.t, err)
	require.Equal(b.t, want, casefile.ErrorCode(err), "%v", err)
}
